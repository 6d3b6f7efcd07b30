package org.longspan.executors.memory;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.longspan.executors.vector.FloatNumber;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A {@link Matrix} of {@code float}. */
public final class FloatMatrix extends Matrix {
  private static final int BYTES_LOG2 = Integer.numberOfTrailingZeros(Float.BYTES);
  private static final int PAGE_LOG2 = 30 - BYTES_LOG2;
  private static final long PAGE_MASK = (1L << PAGE_LOG2) - 1;
  private static final int COPY = 1 << 12;

  private final FloatBuffer[] numbers;

  private FloatMatrix(
      Pointer memory,
      ByteBuffer[] pages,
      FloatBuffer[] numbers,
      long base,
      long rows,
      int columns,
      long stride) {
    super(memory, pages, base, rows, columns, stride);
    this.numbers = numbers;
  }

  /**
   * The memory behind {@code pointer}, whose position is the first number, as {@code [rows,
   * columns]}.
   */
  static FloatMatrix over(Pointer pointer, long rows, int columns) {
    ByteBuffer[] pages = pagesOf(pointer, rows * columns * Float.BYTES);
    FloatBuffer[] numbers = new FloatBuffer[pages.length];
    for (int page = 0; page < pages.length; page++) {
      numbers[page] = pages[page].asFloatBuffer();
    }
    return new FloatMatrix(pointer, pages, numbers, 0, rows, columns, columns);
  }

  /** A shape alone: to read, write or multiply it fails. */
  static FloatMatrix withoutNumbers(long rows, int columns) {
    return new FloatMatrix(null, new ByteBuffer[0], new FloatBuffer[0], 0, rows, columns, columns);
  }

  /**
   * The memory of a row-major array as {@code [rows, columns]}. The array must stay reachable as
   * long as the matrix is used: its buffer is not kept alive from here.
   */
  public static FloatMatrix of(INDArray array, long rows, int columns) {
    if (array.length() != rows * columns) {
      throw new IllegalArgumentException(
          "An array of " + array.length() + " numbers is not [" + rows + ", " + columns + "]");
    }
    BytePointer first = new BytePointer(array.data().addressPointer());
    return over(first, rows, columns);
  }

  @Override
  public Precision precision() {
    return Precision.FLOAT;
  }

  @Override
  Matrix view(long viewBase, long viewRows, int viewColumns) {
    return new FloatMatrix(memory(), pages(), numbers, viewBase, viewRows, viewColumns, stride());
  }

  @Override
  Matrix reshaped(long viewBase, long viewRows, int viewColumns) {
    return new FloatMatrix(
        memory(), pages(), numbers, viewBase, viewRows, viewColumns, viewColumns);
  }

  /** Copies {@code length} numbers of a row, from {@code column} on, to {@code into[offset…]}. */
  public void read(long row, int column, float[] into, int offset, int length) {
    long index = index(row, column);
    numbers[(int) (index >>> PAGE_LOG2)].get((int) (index & PAGE_MASK), into, offset, length);
  }

  /** Copies {@code length} numbers from {@code from[offset…]} to a row, from {@code column} on. */
  public void write(long row, int column, float[] from, int offset, int length) {
    long index = index(row, column);
    numbers[(int) (index >>> PAGE_LOG2)].put((int) (index & PAGE_MASK), from, offset, length);
  }

  /**
   * Copies {@code length} numbers of a contiguous matrix, from the start of {@code row} on, over
   * the ends of rows.
   */
  public void readRun(long row, float[] into, int length) {
    requireContiguous();
    read(row, 0, into, 0, length);
  }

  /**
   * Copies {@code length} numbers into a contiguous matrix, from the start of {@code row} on, over
   * the ends of rows.
   */
  public void writeRun(long row, float[] from, int length) {
    requireContiguous();
    write(row, 0, from, 0, length);
  }

  private void requireContiguous() {
    if (!isContiguous()) {
      throw new IllegalArgumentException("Not contiguous: " + this + " with stride " + stride());
    }
  }

  /** Where row {@code row} starts, for a product. */
  public FloatPointer pointer(long row) {
    return new Place(memory().address() + index(row, 0) * Float.BYTES);
  }

  @Override
  public void zero() {
    if (isContiguous()) {
      Pointer.memset(pointer(0), 0, size() * Float.BYTES);
      return;
    }
    float[] zeros = new float[columns()];
    for (long row = 0; row < rows(); row++) {
      write(row, 0, zeros, 0, zeros.length);
    }
  }

  @Override
  public void set(Matrix source) {
    if (source.rows() != rows() || source.columns() != columns()) {
      throw new IllegalArgumentException("Cannot copy " + source + " into " + this);
    }
    FloatMatrix from = (FloatMatrix) source;
    if (isContiguous() && from.isContiguous()) {
      Pointer.memcpy(pointer(0), from.pointer(0), size() * Float.BYTES);
      return;
    }
    float[] row = new float[Math.min(columns(), COPY)];
    for (long r = 0; r < rows(); r++) {
      for (int column = 0; column < columns(); column += row.length) {
        int length = Math.min(row.length, columns() - column);
        from.read(r, column, row, 0, length);
        write(r, column, row, 0, length);
      }
    }
  }

  @Override
  public double get(long row, int column) {
    long index = index(row, column);
    return numbers[(int) (index >>> PAGE_LOG2)].get((int) (index & PAGE_MASK));
  }

  @Override
  public void put(long row, int column, double value) {
    long index = index(row, column);
    numbers[(int) (index >>> PAGE_LOG2)].put((int) (index & PAGE_MASK), FloatNumber.of(value));
  }

  /**
   * An address in memory that somebody else owns: products are called often, and a view with an
   * owner costs more.
   */
  private static final class Place extends FloatPointer {
    Place(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }
}
