package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.longspan.parallelism.transport.PlainSocketBench.Side;

@Timeout(60)
class TransportBenchTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Test
  void shouldGiveBothRanksTheSameRate() {
    List<Double> rates =
        LocalRanks.run(
            InProcessTransport.connect(2, LIMIT),
            transport -> TransportBench.oneWay(transport, 1 - transport.rank(), 1 << 16, 50));
    assertThat(rates.get(0)).isPositive().isEqualTo(rates.get(1));
  }

  @Test
  void shouldGiveBothRanksTheSameTime() {
    List<Double> times =
        LocalRanks.run(
            InProcessTransport.connect(2, LIMIT),
            transport -> TransportBench.roundTrip(transport, 1 - transport.rank(), 51));
    assertThat(times.get(0)).isPositive().isEqualTo(times.get(1));
  }

  @Test
  void shouldMeasureAPlainSocketToo() throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (ServerSocketChannel server = ServerSocketChannel.open().bind(any);
        SocketChannel first = SocketChannel.open(server.getLocalAddress());
        SocketChannel second = server.accept()) {
      List<double[]> measured =
          LocalRanks.run(
              InProcessTransport.connect(2, LIMIT),
              transport ->
                  transport.rank() == 0
                      ? measure(first, Side.FIRST)
                      : measure(second, Side.SECOND));
      assertThat(measured.get(0)).isEqualTo(measured.get(1));
      assertThat(measured.get(0)[0]).isPositive();
      assertThat(measured.get(0)[1]).isPositive();
    }
  }

  private static double[] measure(SocketChannel socket, Side side) {
    try {
      return new double[] {
        PlainSocketBench.oneWay(socket, side, 1 << 16, 50),
        PlainSocketBench.roundTrip(socket, side, 51)
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
