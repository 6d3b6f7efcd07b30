package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * Hands a state through the ranks of a communicator, each of which changes it: ZeCO's All-Scan
 * (arXiv 2507.01004).
 *
 * <pre>
 *   forward    S_p      = Γ_p ⊙ S_{p−1} + Ŝ_p
 *   backward   dS_{p−1} = Γ_p ⊙ dS_p   + dŜ_p
 * </pre>
 *
 * A state is {@code [rows, columns]} elements, row-major; {@code Ŝ_p} is the rank's own summary,
 * and {@code Γ_p} one factor for each row. The state is cut into blocks of rows; a rank passes a
 * block on as soon as it has changed it, while the next one is on its way. Each rank but the first
 * receives {@code rows · columns} elements, however many blocks there are.
 *
 * <p>Threading: as its {@link Communicator}; the scan runs on the communicator's thread. It has its
 * own scratch and allocates no buffer after its construction.
 */
public final class AllScan {
  private static final double LATENCY_SECONDS = 60e-6;
  private static final double BYTES_PER_SECOND = 1e9;

  private final Communicator communicator;
  private final int rows;
  private final int columns;
  private final int blocks;
  private final int rowBytes;
  private final Arithmetic arithmetic;
  private final ByteBuffer changed;

  /**
   * @param blocks into how many blocks the state is cut, at most one a row; see {@link #blocks}
   */
  public AllScan(Communicator communicator, ElementType type, int rows, int columns, int blocks) {
    if (rows < 0 || columns < 0 || blocks < 1) {
      throw new IllegalArgumentException(
          "A state of " + rows + " rows and " + columns + " columns in " + blocks + " blocks");
    }
    this.communicator = communicator;
    this.rows = rows;
    this.columns = columns;
    this.blocks = Math.max(1, Math.min(blocks, rows));
    this.rowBytes = Math.multiplyExact(columns, type.bytes());
    int bytes = Math.multiplyExact(rows, rowBytes);
    this.arithmetic = type.arithmetic();
    this.changed =
        ByteBuffer.allocateDirect(
            communicator.size() == 1 ? 0 : Math.min(bytes, (rows / this.blocks + 1) * rowBytes));
  }

  /**
   * The number of blocks for which the chain's time {@code (P−1+K−1)(α + m/(Kβ))} is least: {@code
   * K* = max(1, √((P−2)m/(αβ)))}, P ranks, m bytes, α the latency of a message and β the bandwidth.
   */
  public static int blocks(
      int ranks, long stateBytes, double latencySeconds, double bytesPerSecond) {
    double best =
        Math.sqrt(Math.max(0, ranks - 2) * (double) stateBytes / (latencySeconds * bytesPerSecond));
    return (int) Math.max(1, Math.round(best));
  }

  /**
   * The number of blocks for a usual network: a latency of 60 µs, as Spark's network library has on
   * one host, and 1 GB/s.
   */
  public static int blocks(int ranks, long stateBytes) {
    return blocks(ranks, stateBytes, LATENCY_SECONDS, BYTES_PER_SECOND);
  }

  /**
   * Starts a scan. The buffers belong to it until the result has been awaited.
   *
   * @param summary {@code Ŝ_p} forward, {@code dŜ_p} backward, {@code [rows, columns]}; not changed
   * @param transition {@code Γ_p}, one factor for each row; 0 drops what comes in, even NaN
   * @param incoming receives the state that comes to this rank, {@code [rows, columns]}: {@code
   *     S_{p−1}} forward, {@code dS_p} backward. On the first rank of the direction it is not
   *     changed and must hold the state before it: zeros, or the initial state
   */
  public Pending start(
      ScanDirection direction, ByteBuffer summary, double[] transition, ByteBuffer incoming) {
    int bytes = rows * rowBytes;
    if (summary.remaining() != bytes
        || incoming.remaining() != bytes
        || transition.length != rows) {
      throw new IllegalArgumentException(
          "A state of "
              + rows
              + " rows of "
              + rowBytes
              + " bytes does not go with a summary of "
              + summary.remaining()
              + " bytes, an incoming state of "
              + incoming.remaining()
              + " and "
              + transition.length
              + " factors");
    }
    if (communicator.size() == 1 || bytes == 0) {
      return Pending.DONE;
    }
    ByteBuffer own = summary.slice();
    ByteBuffer from = incoming.slice();
    return communicator.submit(() -> scan(direction, own, transition, from));
  }

  private void scan(
      ScanDirection direction, ByteBuffer summary, double[] transition, ByteBuffer incoming) {
    int step =
        switch (direction) {
          case FORWARD -> 1;
          case BACKWARD -> -1;
        };
    int before = communicator.index() - step;
    int next = communicator.index() + step;
    for (int block = 0; block < blocks; block++) {
      int first = firstRow(block);
      int start = first * rowBytes;
      int length = (firstRow(block + 1) - first) * rowBytes;
      ByteBuffer state = incoming.slice(start, length);
      if (isMember(before)) {
        communicator.receive(before, state);
      }
      if (isMember(next)) {
        ByteBuffer result = changed.limit(length);
        arithmetic.recur(state, transition, first, columns, summary.slice(start, length), result);
        communicator.send(next, result);
      }
    }
  }

  private boolean isMember(int place) {
    return place >= 0 && place < communicator.size();
  }

  private int firstRow(int block) {
    return (int) ((long) rows * block / blocks);
  }
}
