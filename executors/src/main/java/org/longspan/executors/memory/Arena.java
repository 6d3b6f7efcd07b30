package org.longspan.executors.memory;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * Owns matrices outside the heap and frees them together. It has a name, which its errors carry,
 * and knows how many bytes it holds.
 *
 * <p>Threading: one thread allocates and closes.
 */
public final class Arena implements AutoCloseable {
  private final String name;
  private final Precision precision;
  private final boolean counting;
  private final List<BytePointer> owned = new ArrayList<>();
  private long bytes;

  public Arena(String name, Precision precision) {
    this(name, precision, false);
  }

  private Arena(String name, Precision precision, boolean counting) {
    this.name = name;
    this.precision = precision;
    this.counting = counting;
  }

  /**
   * An arena that counts bytes and takes none: its matrices have shapes and no numbers, so that
   * what is built over it tells how much it would hold, and cannot be run.
   */
  public static Arena counting(String name, Precision precision) {
    return new Arena(name, precision, true);
  }

  /**
   * A new matrix of zeros. Throws {@link OutOfMemoryError} that names the arena where memory is
   * short.
   */
  public Matrix matrix(long rows, int columns) {
    long length = Math.max(1, rows * columns) * precision.bytes();
    if (counting) {
      bytes += length;
      return switch (precision) {
        case FLOAT -> FloatMatrix.withoutNumbers(rows, columns);
        case DOUBLE -> DoubleMatrix.withoutNumbers(rows, columns);
      };
    }
    BytePointer memory;
    try {
      memory = new BytePointer(length);
    } catch (OutOfMemoryError e) {
      OutOfMemoryError named =
          new OutOfMemoryError(
              "Arena "
                  + name
                  + " holds "
                  + bytes
                  + " bytes and cannot get "
                  + length
                  + " more: "
                  + e.getMessage());
      named.initCause(e);
      throw named;
    }
    owned.add(memory);
    bytes += length;
    Matrix matrix =
        switch (precision) {
          case FLOAT -> FloatMatrix.over(memory, rows, columns);
          case DOUBLE -> DoubleMatrix.over(memory, rows, columns);
        };
    matrix.zero();
    return matrix;
  }

  public Precision precision() {
    return precision;
  }

  /** Bytes held now. */
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    owned.forEach(BytePointer::close);
    owned.clear();
    bytes = 0;
  }
}
