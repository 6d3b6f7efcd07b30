package org.longspan.datapipeline.dataset;

import java.util.Arrays;

/** A growing array of ints. Not safe for several threads. */
public final class IntArray {
  private int[] values = new int[16];
  private int size;

  /** Appends {@code value}. */
  public void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, Math.addExact(size, size));
    }
    values[size++] = value;
  }

  /** The value at {@code index}. */
  public int at(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("Index " + index + " of " + size + " values");
    }
    return values[index];
  }

  /** The number of values. */
  public int size() {
    return size;
  }

  /** Forgets all values and keeps the memory. */
  public void clear() {
    size = 0;
  }

  /** A copy of the values. */
  public int[] toArray() {
    return Arrays.copyOf(values, size);
  }

  /** Copies values {@code [from, to)} to {@code target} from {@code at} on. */
  void copy(int from, int to, int[] target, int at) {
    if (from < 0 || to > size) {
      throw new IndexOutOfBoundsException("[" + from + ", " + to + ") of " + size + " values");
    }
    System.arraycopy(values, from, target, at, to - from);
  }
}
