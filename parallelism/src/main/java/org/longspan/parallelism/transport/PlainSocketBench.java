package org.longspan.parallelism.transport;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * Measures a blocking socket of {@code java.nio} as {@link TransportBench} measures a transport:
 * what a transport over the same network is compared with.
 *
 * <p>Threading: the caller's thread reads and writes.
 */
public final class PlainSocketBench {
  private PlainSocketBench() {}

  /** Which side of the connection the caller is. */
  public enum Side {
    /** Sends first and measures. */
    FIRST,
    SECOND
  }

  /**
   * Sends messages from the first to the second side, as fast as they go.
   *
   * @return 10⁹ bytes a second, from the first send until the second side has received the last
   *     message
   */
  public static double oneWay(SocketChannel socket, Side side, int messageBytes, int messages)
      throws IOException {
    ByteBuffer message = ByteBuffer.allocateDirect(messageBytes);
    ByteBuffer number = ByteBuffer.allocateDirect(Double.BYTES);
    meet(socket, side, number);
    long start = System.nanoTime();
    for (int i = 0; i < messages; i++) {
      if (side == Side.FIRST) {
        write(socket, message);
      } else {
        read(socket, message);
      }
    }
    if (side == Side.FIRST) {
      read(socket, number);
    } else {
      write(socket, number);
    }
    long nanoseconds = System.nanoTime() - start;
    return agree(socket, side, number, (double) messageBytes * messages / nanoseconds);
  }

  /**
   * Sends 8 bytes there and back, again and again.
   *
   * @return the median of the repeats, in µs
   */
  public static double roundTrip(SocketChannel socket, Side side, int repeats) throws IOException {
    ByteBuffer number = ByteBuffer.allocateDirect(Double.BYTES);
    double[] microseconds = new double[repeats];
    meet(socket, side, number);
    for (int i = 0; i < repeats; i++) {
      long start = System.nanoTime();
      meet(socket, side, number);
      microseconds[i] = (System.nanoTime() - start) / 1e3;
    }
    return agree(socket, side, number, TransportBench.median(microseconds));
  }

  /** Eight bytes there and back. */
  private static void meet(SocketChannel socket, Side side, ByteBuffer number) throws IOException {
    if (side == Side.FIRST) {
      write(socket, number);
      read(socket, number);
    } else {
      read(socket, number);
      write(socket, number);
    }
  }

  private static double agree(SocketChannel socket, Side side, ByteBuffer number, double measured)
      throws IOException {
    if (side == Side.FIRST) {
      write(socket, number.putDouble(0, measured));
    } else {
      read(socket, number);
    }
    return number.getDouble(0);
  }

  private static void write(SocketChannel socket, ByteBuffer bytes) throws IOException {
    bytes.clear();
    while (bytes.hasRemaining()) {
      socket.write(bytes);
    }
    bytes.clear();
  }

  private static void read(SocketChannel socket, ByteBuffer bytes) throws IOException {
    bytes.clear();
    while (bytes.hasRemaining()) {
      if (socket.read(bytes) < 0) {
        throw new EOFException(
            "The other side closed the connection " + bytes.remaining() + " bytes too early");
      }
    }
    bytes.clear();
  }
}
