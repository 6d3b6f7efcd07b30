package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.parallelism.transport.FrameHeader.Kind;

@Timeout(120)
class NetworkTransportTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration LONGER = Duration.ofSeconds(3);
  private static final Duration SHORT = Duration.ofMillis(500);
  private static final String HOST = "127.0.0.1";
  private static final String JOB = "job-7";
  private static final String SECRET = "a secret that only the ranks know";

  /** Classes are loaded outside of the short limits. */
  @BeforeAll
  static void loadTheNetworkLibrary() {
    for (Protection protection : Protection.values()) {
      LocalRanks.run(
          NetworkTransport.loopback(2, LIMIT, protection),
          transport -> TransportBench.roundTrip(transport, 1 - transport.rank(), 1));
    }
  }

  @Nested
  class Encrypted extends TransportContract {
    @Override
    List<Transport> connect(int ranks, Duration timeLimit) {
      return NetworkTransport.loopback(ranks, timeLimit, Protection.ENCRYPTED);
    }
  }

  @Nested
  class Authenticated extends TransportContract {
    @Override
    List<Transport> connect(int ranks, Duration timeLimit) {
      return NetworkTransport.loopback(ranks, timeLimit, Protection.AUTHENTICATED);
    }
  }

  @Test
  void shouldKeepWhatArrivesBeforeItIsConnected() {
    try (NetworkTransport slow = bind(SECRET, LIMIT);
        NetworkTransport quick = bind(SECRET, LIMIT)) {
      quick.connect(1, 2, addresses(slow, quick));
      quick.send(0, 0, 0, TransportContract.number(5));
      quick.send(0, 0, 0, TransportContract.number(6));
      TransportContract.sleep(200);
      slow.connect(0, 2, addresses(slow, quick));
      quick.send(0, 0, 0, TransportContract.number(7));
      for (int expected = 5; expected <= 7; expected++) {
        assertThat(TransportContract.receiveNumber(slow, 1, 0)).isEqualTo(expected);
      }
    }
  }

  @Test
  void shouldNoticeAPeerThatWasLostBeforeThisRankWasConnected() {
    try (NetworkTransport slow = bind(SECRET, LIMIT)) {
      List<InetSocketAddress> addresses;
      try (NetworkTransport quick = bind(SECRET, LIMIT)) {
        addresses = addresses(slow, quick);
        quick.connect(1, 0, addresses);
        quick.send(0, 0, 0, TransportContract.number(5));
      }
      TransportContract.sleep(200);
      slow.connect(0, 0, addresses);
      assertThat(TransportContract.receiveNumber(slow, 1, 0)).isEqualTo(5);
      assertThatThrownBy(() -> TransportContract.receiveNumber(slow, 1, 0))
          .isInstanceOf(TransportException.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeNothingFromARankWithAnotherSecret(Protection protection) {
    try (NetworkTransport own = NetworkTransport.bind(JOB, SECRET, HOST, SHORT, protection);
        NetworkTransport stranger =
            NetworkTransport.bind(JOB, "another secret", HOST, LIMIT, protection)) {
      own.connect(0, 0, addresses(own, stranger));
      stranger.connect(1, 0, addresses(own, stranger));
      assertThatThrownBy(() -> stranger.send(0, 0, 0, TransportContract.number(5)))
          .isInstanceOf(TransportException.class)
          .hasMessageStartingWith("Rank 1, peer 0, channel 0: cannot connect to 127.0.0.1:");
      assertNothingArrives(own);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeNothingFromAnotherJob(Protection protection) {
    try (NetworkTransport own = NetworkTransport.bind(JOB, SECRET, HOST, SHORT, protection);
        NetworkTransport stranger =
            NetworkTransport.bind("job-8", SECRET, HOST, LIMIT, protection)) {
      own.connect(0, 0, addresses(own, stranger));
      stranger.connect(1, 0, addresses(own, stranger));
      assertThatThrownBy(() -> stranger.send(0, 0, 0, TransportContract.number(5)))
          .isInstanceOf(TransportException.class);
      assertNothingArrives(own);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeNothingFromAClientThatShowsNoSecret(Protection protection) throws Exception {
    TransportConf plain = new TransportConf("longspan", new MapConfigProvider(Map.of()));
    try (NetworkTransport own = NetworkTransport.bind(JOB, SECRET, HOST, SHORT, protection);
        SparkNetwork silent = network();
        TransportContext context = new TransportContext(plain, new NoOpRpcHandler());
        TransportClientFactory clients = context.createClientFactory();
        TransportClient client = clients.createUnmanagedClient(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), silent.port()));
      client.send(frame(JOB, 0, 0));
      assertNothingArrives(own);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeNoFrameOffAConnectionThatShowsNoSecret(Protection protection) throws Exception {
    try (NetworkTransport own = NetworkTransport.bind(JOB, SECRET, HOST, SHORT, protection);
        SparkNetwork silent = network();
        Socket stranger = new Socket(InetAddress.getLoopbackAddress(), own.port())) {
      own.connect(0, 0, addresses(own.port(), silent.port()));
      ByteBuffer frame = frame(JOB, 0, 0);
      stranger.getOutputStream().write(frame.array(), frame.arrayOffset(), frame.remaining());
      assertNothingArrives(own);
    }
  }

  @Test
  void shouldTakeTheSameFrameFromAClientThatKnowsTheSecret() throws Exception {
    try (NetworkTransport own = bind(SECRET, LIMIT);
        SparkNetwork network = network();
        TransportClient client = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      client.send(frame(JOB, 0, 0));
      assertThat(TransportContract.receiveNumber(own, 1, 0)).isEqualTo(5);
    }
  }

  @Test
  void shouldRefuseAFrameOfAnotherJob() throws Exception {
    try (NetworkTransport own = bind(SECRET, SHORT);
        SparkNetwork network = network();
        TransportClient client = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      client.send(frame("job-8", 0, 0));
      assertClosed(client);
      assertNothingArrives(own);
    }
  }

  @Test
  void shouldRefuseWhatIsNoFrame() throws Exception {
    try (NetworkTransport own = bind(SECRET, SHORT);
        SparkNetwork network = network();
        TransportClient client = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      client.send(ByteBuffer.allocate(1000));
      assertClosed(client);
      assertNothingArrives(own);
    }
  }

  @Test
  void shouldRefuseAMessageOfAnotherAttemptAndGoOn() {
    try (NetworkTransport own = bind(SECRET, LIMIT);
        NetworkTransport peer = bind(SECRET, LIMIT);
        NetworkTransport late = bind(SECRET, LIMIT)) {
      own.connect(0, 4, addresses(own, peer));
      late.connect(1, 3, addresses(own, late));
      // The refusal may come back while the message is still being handed to the network.
      assertThatThrownBy(
              () -> {
                late.send(0, 0, 0, TransportContract.number(3));
                late.receive(0, 0, 0, ByteBuffer.allocate(1));
              })
          .isInstanceOf(TransportException.class)
          .hasMessage(
              "Rank 1, peer 0, channel 0: the peer refused: Rank 0 of attempt 4 refuses a message"
                  + " of attempt 3 from rank 1");
      peer.connect(1, 4, addresses(own, peer));
      peer.send(0, 0, 0, TransportContract.number(4));
      assertThat(TransportContract.receiveNumber(own, 1, 0)).isEqualTo(4);
    }
  }

  @Test
  void shouldRefuseAMessageThatComesTwice() throws Exception {
    assertRefused(0, "piece 0 came where piece 1 was to come");
  }

  @Test
  void shouldRefuseAMessageWhereOneIsMissing() throws Exception {
    assertRefused(2, "piece 2 came where piece 1 was to come");
  }

  private static void assertRefused(int sequence, String why) throws Exception {
    try (NetworkTransport own = bind(SECRET, LIMIT);
        SparkNetwork network = network();
        TransportClient client = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      client.send(frame(JOB, 0, 0));
      sendMore(client, frame(JOB, 0, sequence));
      assertThat(TransportContract.receiveNumber(own, 1, 0)).isEqualTo(5);
      assertThatThrownBy(() -> TransportContract.receiveNumber(own, 1, 0))
          .isInstanceOf(TransportException.class)
          .hasMessageContaining(why);
      assertClosed(client);
    }
  }

  @Test
  void shouldRefuseASecondConnectionThatSaysItIsTheSameRank() throws Exception {
    try (NetworkTransport own = bind(SECRET, LIMIT);
        SparkNetwork network = network();
        TransportClient first = network.open(HOST, own.port());
        TransportClient second = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      first.send(frame(JOB, 0, 0));
      assertThat(TransportContract.receiveNumber(own, 1, 0)).isEqualTo(5);
      second.send(frame(JOB, 0, 1));
      assertClosed(second);
      sendMore(first, frame(JOB, 0, 1));
      assertThat(TransportContract.receiveNumber(own, 1, 0)).isEqualTo(5);
    }
  }

  @Test
  void shouldSayHowMuchOfAMessageArrived() throws Exception {
    try (NetworkTransport own = bind(SECRET, SHORT);
        SparkNetwork network = network();
        TransportClient client = network.open(HOST, own.port())) {
      own.connect(0, 0, addresses(own.port(), network.port()));
      int label = MessageLabel.of(MessageLabel.Kind.BROADCAST, 7);
      FrameHeader header =
          FrameHeader.data(
              new RankIdentity(RankIdentity.hash(JOB), 0, 1, 2), 0, label, 1000, 0, 600);
      ByteBuf half = Unpooled.buffer();
      header.write(half);
      client.send(half.writeZero(500).nioBuffer());
      assertThat(failureOnceSomethingArrived(own, label))
          .hasMessage(
              "Rank 0, peer 1, channel 0, broadcast 7: only 500 of 1000 bytes arrived within"
                  + " 0.5 s");
    }
  }

  /** Nothing may have arrived yet when the short limit is over: then it is awaited again. */
  private static TransportException failureOnceSomethingArrived(NetworkTransport own, int label) {
    while (true) {
      TransportException failure =
          catchThrowableOfType(
              TransportException.class, () -> own.receive(1, 0, label, ByteBuffer.allocate(1000)));
      if (!failure.getMessage().contains("nothing arrived")) {
        return failure;
      }
    }
  }

  @Test
  void shouldGiveUpOnAConnectionThatTakesNoMore() throws Exception {
    CountDownLatch greeted = new CountDownLatch(1);
    try (NetworkTransport own = bind(SECRET, LONGER);
        SparkNetwork deaf =
            network(
                (channel, hello) -> {
                  channel.config().setAutoRead(false);
                  greeted.countDown();
                })) {
      own.connect(0, 0, addresses(own.port(), deaf.port()));
      openAndAwait(own, greeted);
      ByteBuffer large = ByteBuffer.allocateDirect(Transport.WINDOW_BYTES);
      assertThatThrownBy(() -> own.send(1, 0, 0, large))
          .isInstanceOf(TransportException.class)
          .hasMessage(
              "Rank 0, peer 1, channel 0: the connection did not take all of the message within"
                  + " 3.0 s");
      assertThatThrownBy(() -> own.send(1, 5, 0, ByteBuffer.allocate(1)))
          .isInstanceOf(TransportException.class)
          .hasMessage(
              "Rank 0, peer 1, channel 5: an earlier send was given up in the middle of a"
                  + " message");
    }
  }

  /**
   * A receive opens the connection. What is sent before the peer is deaf would be read with the
   * greeting, as nonsense.
   */
  private static void openAndAwait(NetworkTransport own, CountDownLatch greeted) {
    Thread receiver =
        new Thread(
            () ->
                assertThatThrownBy(() -> own.receive(1, 7, 0, ByteBuffer.allocate(1)))
                    .isInstanceOf(TransportException.class));
    receiver.start();
    TransportContract.awaitLatch(greeted);
    receiver.interrupt();
    TransportContract.join(receiver);
  }

  @Test
  void shouldGiveUpInTimeOnAPeerThatDoesNotAnswerTheHandshake() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = silent.getLocalPort();
      try (NetworkTransport own = bind(SECRET, SHORT)) {
        own.connect(0, 0, addresses(own.port(), port));
        assertThatThrownBy(() -> own.send(1, 0, 0, ByteBuffer.allocate(1)))
            .isInstanceOf(TransportException.class)
            .hasMessageMatching(
                "Rank 0, peer 1, channel 0: cannot connect to 127.0.0.1:"
                    + port
                    + "( within 0.5 s|: it does not answer the handshake)");
      }
      try (NetworkTransport own = bind(SECRET, SHORT)) {
        own.connect(0, 0, addresses(own.port(), port));
        assertThatThrownBy(() -> own.receive(1, 0, 0, ByteBuffer.allocate(1)))
            .isInstanceOf(TransportException.class)
            .hasMessageMatching(
                "Rank 0, peer 1, channel 0: (nothing arrived within 0.5 s|cannot connect to"
                    + " 127.0.0.1:"
                    + port
                    + ": it does not answer the handshake)");
      }
      try (NetworkTransport own = bind(SECRET, LONGER)) {
        own.connect(0, 0, addresses(own.port(), port));
        assertThatThrownBy(() -> own.send(1, 0, 0, ByteBuffer.allocate(1)))
            .isInstanceOf(TransportException.class)
            .hasMessageStartingWith(
                "Rank 0, peer 1, channel 0: cannot connect to 127.0.0.1:" + port);
      }
    }
    assertThat(ThreadsOfRanks.left()).isEmpty();
  }

  @Test
  void shouldLeaveNoThreadAndNoSocketWhenClosed() throws Exception {
    NetworkTransport first = bind(SECRET, LIMIT);
    NetworkTransport second = bind(SECRET, LIMIT);
    first.connect(0, 0, addresses(first, second));
    second.connect(1, 0, addresses(first, second));
    first.send(1, 0, 0, TransportContract.number(1));
    assertThat(TransportContract.receiveNumber(second, 0, 0)).isEqualTo(1);
    assertThat(ThreadsOfRanks.alive()).isNotEmpty();
    int port = first.port();
    first.close();
    first.close();
    second.close();
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port).close())
        .isInstanceOf(IOException.class);
    assertThat(ThreadsOfRanks.left()).isEmpty();
  }

  @Test
  void shouldRefuseAnEmptySecret() {
    assertThatThrownBy(() -> bind("", LIMIT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The secret of job job-7 is empty");
  }

  private static void assertNothingArrives(NetworkTransport own) {
    assertThatThrownBy(() -> own.receive(1, 0, 0, ByteBuffer.allocate(Integer.BYTES)))
        .isInstanceOf(TransportException.class);
    assertThat(own.receivedBytes()).isZero();
  }

  private static void assertClosed(TransportClient client) throws InterruptedException {
    assertThat(client.getChannel().closeFuture().await(LIMIT.toMillis())).isTrue();
  }

  private static NetworkTransport bind(String secret, Duration limit) {
    return NetworkTransport.bind(JOB, secret, HOST, limit);
  }

  private static List<InetSocketAddress> addresses(
      NetworkTransport first, NetworkTransport second) {
    return addresses(first.port(), second.port());
  }

  private static List<InetSocketAddress> addresses(int first, int second) {
    return List.of(
        InetSocketAddress.createUnresolved(HOST, first),
        InetSocketAddress.createUnresolved(HOST, second));
  }

  /** A network that knows the secret but sends what it likes. */
  private static SparkNetwork network() {
    return network((channel, message) -> {});
  }

  private static SparkNetwork network(BiConsumer<Channel, ByteBuffer> accepted) {
    return new SparkNetwork(
        JOB, SECRET, HOST, LIMIT, Protection.ENCRYPTED, accepted, (channel, message) -> {});
  }

  /** Frames follow each other without more once the first one has gone as a message. */
  private static void sendMore(TransportClient client, ByteBuffer frame) {
    ChannelFuture written = client.getChannel().writeAndFlush(Unpooled.wrappedBuffer(frame));
    assertThat(written.awaitUninterruptibly(LIMIT.toMillis())).isTrue();
  }

  /** The number 5 from rank 1 on channel 0. */
  private static ByteBuffer frame(String job, int attempt, long sequence) {
    ByteBuf frame = Unpooled.buffer();
    new FrameHeader(
            Kind.DATA,
            RankIdentity.hash(job),
            attempt,
            1,
            0,
            Integer.BYTES,
            sequence,
            Integer.BYTES,
            0)
        .write(frame);
    return frame.writeInt(5).nioBuffer();
  }
}
