package org.longspan.executors.bench.collective;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.bench.process.RankBody;
import org.longspan.parallelism.transport.PlainSocketBench;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportBench;

/**
 * One of two ranks that measure the transport between them, and in turns with it a plain socket,
 * which anybody on this machine could connect to and which carries zeros only. Rank 0 says two
 * lines, the transport's and the socket's: 10⁹ bytes a second one way, and µs there and back.
 *
 * <p>Arguments: repetitions.
 */
public final class TransportRank implements RankBody {
  private static final int MESSAGE_BYTES = 1 << 20;
  private static final int MESSAGES = 128;
  private static final int ROUND_TRIPS = 500;
  private static final int WARM_UP = 24;
  private static final int CHANNEL = 10;
  private static final int LABEL = 0;

  @Override
  public void run(Transport transport, List<String> arguments, Consumer<String> results)
      throws IOException {
    int repetitions = Integer.parseInt(arguments.get(0));
    double[][] rates = new double[2][repetitions];
    double[][] roundTrips = new double[2][repetitions];
    int peer = 1 - transport.rank();
    PlainSocketBench.Side side =
        transport.rank() == 0 ? PlainSocketBench.Side.FIRST : PlainSocketBench.Side.SECOND;
    try (SocketChannel socket = connect(transport)) {
      for (int repetition = -WARM_UP; repetition < repetitions; repetition++) {
        int place = Math.max(0, repetition);
        rates[0][place] = TransportBench.oneWay(transport, peer, MESSAGE_BYTES, MESSAGES);
        rates[1][place] = PlainSocketBench.oneWay(socket, side, MESSAGE_BYTES, MESSAGES);
        roundTrips[0][place] = TransportBench.roundTrip(transport, peer, ROUND_TRIPS);
        roundTrips[1][place] = PlainSocketBench.roundTrip(socket, side, ROUND_TRIPS);
      }
    }
    if (transport.rank() == 0) {
      for (int way = 0; way < 2; way++) {
        results.accept(Medians.of(rates[way]) + " " + Medians.of(roundTrips[way]));
      }
    }
  }

  private static SocketChannel connect(Transport transport) throws IOException {
    ByteBuffer port = ByteBuffer.allocate(Integer.BYTES);
    SocketChannel socket;
    if (transport.rank() == 0) {
      transport.receive(1, CHANNEL, LABEL, port);
      socket =
          SocketChannel.open(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), port.getInt(0)));
    } else {
      try (ServerSocketChannel server =
          ServerSocketChannel.open()
              .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
        transport.send(0, CHANNEL, LABEL, port.putInt(0, server.socket().getLocalPort()));
        socket = server.accept();
      }
    }
    return socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
  }
}
