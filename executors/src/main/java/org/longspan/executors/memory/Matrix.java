package org.longspan.executors.memory;

import java.nio.ByteBuffer;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A row-major matrix outside the heap, {@code [rows, columns]}, or a view of some rows and columns
 * of one. Products read it through its pointer, loops copy rows into small arrays and back.
 *
 * <p>Threading: no state changes after construction; threads may read and write different rows at
 * once. A view shares its owner's memory and must not outlive it.
 */
public abstract sealed class Matrix permits FloatMatrix, DoubleMatrix {
  private static final int PAGE_BYTES_LOG2 = 30;

  private final Pointer memory;
  private final ByteBuffer[] pages;
  private final long base;
  private final long rows;
  private final int columns;
  private final long stride;

  /** The whole of {@code memory} as {@code [rows, columns]}. */
  Matrix(Pointer memory, ByteBuffer[] pages, long base, long rows, int columns, long stride) {
    this.memory = memory;
    this.pages = pages;
    this.base = base;
    this.rows = rows;
    this.columns = columns;
    this.stride = stride;
  }

  public abstract Precision precision();

  /** Rows {@code [from, to)}, shared. */
  public final Matrix rows(long from, long to) {
    if (from < 0 || from > to || to > rows) {
      throw new IndexOutOfBoundsException(
          "Rows " + from + " to " + to + " of a matrix of " + rows + " rows");
    }
    return view(base + from * stride, to - from, columns);
  }

  /** Columns {@code [from, to)} of every row, shared. */
  public final Matrix columns(int from, int to) {
    if (from < 0 || from > to || to > columns) {
      throw new IndexOutOfBoundsException(
          "Columns " + from + " to " + to + " of a matrix of " + columns + " columns");
    }
    return view(base + from, rows, to - from);
  }

  /** The same memory as {@code [rows, columns]}; this matrix must be contiguous. */
  public final Matrix reshape(long newRows, int newColumns) {
    if (newRows * newColumns != rows * columns || !isContiguous()) {
      throw new IllegalArgumentException(
          "Cannot see ["
              + rows
              + ", "
              + columns
              + "] with stride "
              + stride
              + " as ["
              + newRows
              + ", "
              + newColumns
              + "]");
    }
    return reshaped(base, newRows, newColumns);
  }

  abstract Matrix view(long viewBase, long viewRows, int viewColumns);

  abstract Matrix reshaped(long viewBase, long viewRows, int viewColumns);

  public final long rows() {
    return rows;
  }

  public final int columns() {
    return columns;
  }

  /** Elements from one row's start to the next one's. */
  public final long stride() {
    return stride;
  }

  /** Numbers in it. */
  public final long size() {
    return rows * columns;
  }

  public final boolean isContiguous() {
    return stride == columns || rows <= 1;
  }

  /**
   * The element at which {@code [row, column]} lies, counted from the start of {@link #memory()}.
   */
  final long index(long row, int column) {
    return base + row * stride + column;
  }

  final Pointer memory() {
    return memory;
  }

  final ByteBuffer[] pages() {
    return pages;
  }

  final long base() {
    return base;
  }

  /**
   * The bytes of {@code count} whole rows, in native order, for a message; the matrix must be
   * contiguous.
   *
   * @throws InvalidInputException where they are 1 GiB or more
   */
  public final ByteBuffer bytes(long firstRow, long count) {
    long length = count * columns * precision().bytes();
    if (!isContiguous()) {
      throw new IllegalArgumentException(
          length + " bytes of a matrix with " + columns + " columns and stride " + stride);
    }
    if (length >= 1L << PAGE_BYTES_LOG2) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "Ranks would exchange %,d bytes at once, %,d rows of %,d numbers, and a message has"
                  + " less than 1 GiB; cut the sequence over more ranks.",
              length,
              count,
              columns));
    }
    if (count < 0 || firstRow < 0 || firstRow + count > rows) {
      throw new IndexOutOfBoundsException(
          count + " rows from " + firstRow + " of a matrix of " + rows + " rows");
    }
    if (length == 0) {
      return ByteBuffer.allocateDirect(0).order(java.nio.ByteOrder.nativeOrder());
    }
    long start = index(firstRow, 0) * precision().bytes();
    ByteBuffer page = pages[(int) (start >>> PAGE_BYTES_LOG2)];
    int offset = (int) (start & ((1L << PAGE_BYTES_LOG2) - 1));
    return page.slice(offset, (int) length).order(java.nio.ByteOrder.nativeOrder());
  }

  /** All its bytes; see {@link #bytes(long, long)}. */
  public final ByteBuffer bytes() {
    return bytes(0, rows);
  }

  /** Sets every number to zero. */
  public abstract void zero();

  /** Copies {@code source}, of the same shape and precision, into this. */
  public abstract void set(Matrix source);

  /** The number at {@code [row, column]}; for tests and single values, not for loops. */
  public abstract double get(long row, int column);

  /** Sets the number at {@code [row, column]}; for tests and single values, not for loops. */
  public abstract void put(long row, int column, double value);

  /**
   * Views on {@code memory} that overlap: page i starts at i GiB and reaches on for almost 2 GiB,
   * so that any range of up to 1 GiB lies within the page in which it starts.
   */
  static ByteBuffer[] pagesOf(Pointer memory, long bytes) {
    int count = (int) Math.max(1, (bytes + (1L << PAGE_BYTES_LOG2) - 1) >>> PAGE_BYTES_LOG2);
    ByteBuffer[] pages = new ByteBuffer[count];
    for (int page = 0; page < count; page++) {
      long start = (long) page << PAGE_BYTES_LOG2;
      long length = Math.min(bytes - start, Integer.MAX_VALUE - 8L);
      // Not closed: a view that is closed frees the memory itself.
      Pointer view = new org.bytedeco.javacpp.BytePointer(memory);
      pages[page] =
          view.position(start)
              .limit(start + length)
              .asByteBuffer()
              .order(java.nio.ByteOrder.nativeOrder());
    }
    return pages;
  }

  @Override
  public final String toString() {
    return precision() + "[" + rows + ", " + columns + "]";
  }
}
