package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A {@link Transport} between threads of one JVM. A message is copied once, straight into the
 * receiver's buffer where it already waits.
 */
public final class InProcessTransport implements InjectableTransport {
  private static final int PIECE_BYTES = 256 << 10;

  private final RankIdentity own;
  private final Duration timeLimit;
  private final List<ConcurrentHashMap<Integer, Lane>> incoming;
  private final ConcurrentHashMap<Integer, String> losses = new ConcurrentHashMap<>();
  private final AtomicLong received = new AtomicLong();
  private List<InProcessTransport> ranks = List.of();
  private volatile RankIdentity claimed;
  private volatile boolean closed;

  private InProcessTransport(int rank, int size, Duration timeLimit) {
    this.own = new RankIdentity(0, 0, rank, size);
    this.claimed = own;
    this.timeLimit = timeLimit;
    this.incoming = Stream.generate(ConcurrentHashMap<Integer, Lane>::new).limit(size).toList();
  }

  /** Transports of {@code ranks} ranks, connected to each other, in the order of the ranks. */
  public static List<Transport> connect(int ranks, Duration timeLimit) {
    if (ranks < 1) {
      throw new IllegalArgumentException("A job has at least one rank, not " + ranks);
    }
    List<InProcessTransport> all =
        IntStream.range(0, ranks)
            .mapToObj(rank -> new InProcessTransport(rank, ranks, timeLimit))
            .toList();
    for (InProcessTransport transport : all) {
      transport.ranks = all;
    }
    return List.copyOf(all);
  }

  @Override
  public int rank() {
    return own.rank();
  }

  @Override
  public int size() {
    return own.size();
  }

  @Override
  public Duration timeLimit() {
    return timeLimit;
  }

  @Override
  public void claimAnotherJob() {
    claimed = own.ofAnotherJob();
  }

  @Override
  public void claimAnotherAttempt() {
    claimed = own.ofAnotherAttempt();
  }

  @Override
  public void send(int peer, int channel, int label, ByteBuffer payload) {
    Route.checkPeer(rank(), peer, size());
    InProcessTransport receiver = ranks.get(peer);
    RankIdentity sender = claimed;
    String objection = receiver.own.objection(sender.job(), sender.attempt(), sender.rank());
    if (objection != null) {
      lose(receiver, "the peer refused: " + objection, objection);
    }
    receiver.lane(rank(), channel).send(label, payload);
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    Route.checkPeer(rank(), peer, size());
    if (closed) {
      throw new Route(rank(), peer, channel, label).failure("this rank's transport is closed");
    }
    lane(peer, channel).mailbox.receive(label, into, Deadline.after(timeLimit));
    received.addAndGet(into.remaining());
  }

  @Override
  public long receivedBytes() {
    return received.get();
  }

  @Override
  public void close() {
    closed = true;
    for (InProcessTransport other : ranks) {
      lose(other, "this rank's transport is closed", "the peer has closed its transport");
    }
  }

  /** Nothing goes between this rank and the other any more, for what each says. */
  private void lose(InProcessTransport other, String sentence, String othersSentence) {
    losses.putIfAbsent(other.rank(), sentence);
    other.losses.putIfAbsent(rank(), othersSentence);
    incoming.get(other.rank()).keySet().forEach(channel -> lane(other.rank(), channel));
    other.incoming.get(rank()).keySet().forEach(channel -> other.lane(rank(), channel));
  }

  /** The lane on which {@code sender} sends to this rank; it knows of losses. */
  private Lane lane(int sender, int channel) {
    Lane lane = incoming.get(sender).computeIfAbsent(channel, key -> new Lane(sender, this, key));
    String sendersLoss = ranks.get(sender).losses.get(rank());
    if (sendersLoss != null) {
      lane.window.fail(sendersLoss);
    }
    String ownLoss = losses.get(sender);
    if (ownLoss != null) {
      lane.mailbox.fail(ownLoss, Duration.ZERO);
    }
    return lane;
  }

  /** One channel from one rank to another. */
  private static final class Lane {
    private final Turn turn = new Turn();
    private final Route route;
    private final Duration timeLimit;
    private final Window window;
    private final Mailbox mailbox;

    Lane(int sender, InProcessTransport receiver, int channel) {
      route = new Route(sender, receiver.rank(), channel);
      timeLimit = receiver.timeLimit;
      window = new Window();
      mailbox = new Mailbox(new Route(receiver.rank(), sender, channel), window::giveBack);
    }

    void send(int label, ByteBuffer payload) {
      Route labelled = route.labelled(label);
      Deadline deadline = Deadline.after(timeLimit);
      turn.take(labelled, deadline);
      int start = 0;
      int length = payload.remaining();
      try {
        window.begin();
        ByteBuffer piece = payload.duplicate();
        do {
          int bytes = Math.min(PIECE_BYTES, length - start);
          piece.limit(payload.position() + start + bytes).position(payload.position() + start);
          window.take(labelled, bytes, deadline);
          mailbox.deliver(label, length, piece);
          start += bytes;
        } while (start < length);
      } finally {
        if (start > 0 && start < length) {
          window.fail("an earlier send ended in the middle of a message");
        }
        turn.end();
      }
    }
  }
}
