package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.longspan.parallelism.transport.MessageLabel.Kind;

/**
 * Measures a transport between two ranks, which both call the same method with each other as peer:
 * the lower rank sends first and measures, and both get its result.
 *
 * <p>The first measurement of a process is slow, since its code is not compiled yet.
 *
 * <p>Threading: the caller's thread sends and receives; nothing else may use the benchmark's
 * channel meanwhile.
 */
public final class TransportBench {
  private static final int CHANNEL = Integer.MAX_VALUE;
  private static final int LABEL = MessageLabel.of(Kind.LINK_MEASUREMENT, 0);

  private TransportBench() {}

  /**
   * Sends messages from the lower to the higher rank, as fast as they go.
   *
   * @return 10⁹ bytes a second, from the first send until the peer has received the last message
   */
  public static double oneWay(Transport transport, int peer, int messageBytes, int messages) {
    Link link = new Link(transport, peer);
    ByteBuffer message = ByteBuffer.allocateDirect(messageBytes);
    link.meet();
    long start = System.nanoTime();
    for (int i = 0; i < messages; i++) {
      if (link.measures()) {
        link.send(message);
      } else {
        link.receive(message);
      }
    }
    link.answer();
    long nanoseconds = System.nanoTime() - start;
    return link.agree((double) messageBytes * messages / nanoseconds);
  }

  /**
   * Sends 8 bytes there and back, again and again.
   *
   * @return the median of the repeats, in µs
   */
  public static double roundTrip(Transport transport, int peer, int repeats) {
    Link link = new Link(transport, peer);
    double[] microseconds = new double[repeats];
    link.meet();
    for (int i = 0; i < repeats; i++) {
      long start = System.nanoTime();
      link.meet();
      microseconds[i] = (System.nanoTime() - start) / 1e3;
    }
    return link.agree(median(microseconds));
  }

  static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** The way between the two ranks. */
  private record Link(Transport transport, int peer, ByteBuffer number) {
    Link(Transport transport, int peer) {
      this(transport, peer, ByteBuffer.allocateDirect(Double.BYTES));
    }

    boolean measures() {
      return transport.rank() < peer;
    }

    void send(ByteBuffer message) {
      transport.send(peer, CHANNEL, LABEL, message);
    }

    void receive(ByteBuffer message) {
      transport.receive(peer, CHANNEL, LABEL, message);
    }

    /** Eight bytes there and back. */
    void meet() {
      if (measures()) {
        send(number);
        receive(number);
      } else {
        receive(number);
        send(number);
      }
    }

    /** Eight bytes back. */
    void answer() {
      if (measures()) {
        receive(number);
      } else {
        send(number);
      }
    }

    double agree(double measured) {
      if (measures()) {
        send(number.putDouble(0, measured));
      } else {
        receive(number);
      }
      return number.getDouble(0);
    }
  }
}
