package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.VectorKernel;

/**
 * What every kernel of causal softmax attention has: staging arrays for some heads, some rows of
 * queries, and the keys and values that they see.
 *
 * <p>Layouts, a head's columns padded with zeros to a multiple of {@link #PAD}: {@code queries}
 * {@code [rows, heads, keyWidth]}, {@code keys} {@code [columns, heads, keyWidth]}, {@code values}
 * {@code [columns, heads, valueWidth]}, {@code logSums} {@code [rows, heads]}. Row r sees the
 * columns from {@code lowest[r]} to below {@code ends[r]}, neither of which falls from row to row.
 */
abstract class SoftmaxKernel extends VectorKernel {
  /** Columns of a head are padded to a multiple of this. */
  static final int PAD = 4;

  final float[] queries;
  final float[] keys;
  final float[] values;
  final char[] queryHalves;
  final char[] keyHalves;
  final char[] valueHalves;
  final float[] logSums;
  final int[] lowest;
  final int[] ends;
  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** 1 where all but sums are kept in halves, in arrays of their own. */
  int isNarrow;

  SoftmaxKernel(SoftmaxRoom room) {
    Storage storage = room.storage();
    this.isNarrow = storage == Storage.BF16 ? 1 : 0;
    this.queries = storage.floats(room.rowNumbers(room.keyWidth()));
    this.keys = storage.floats(room.columnNumbers(room.keyWidth()));
    this.values = storage.floats(room.columnNumbers(room.valueWidth()));
    this.queryHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keyHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.valueHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.logSums = new float[room.rowNumbers(1)];
    this.lowest = new int[room.rows()];
    this.ends = new int[room.rows()];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();

  static int padded(int width) {
    return (width + PAD - 1) / PAD * PAD;
  }

  /** Whichever of two arrays is used. */
  final Object kept(float[] numbers, char[] halves) {
    return isNarrow == 1 ? halves : numbers;
  }

  /** The queries as they are kept. */
  final Object queryInputs() {
    return kept(queries, queryHalves);
  }

  /** The keys as they are kept. */
  final Object keyInputs() {
    return kept(keys, keyHalves);
  }

  /** The values as they are kept. */
  final Object valueInputs() {
    return kept(values, valueHalves);
  }

  /**
   * Four numbers of whichever of two arrays is used, as {@link VectorKernel} reads them.
   *
   * @param index a multiple of four
   */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_KEPT(numbers, halves, index, registers, to) { float4 four_;"
              + " if (this->isNarrow == 1) { four_ = as_float4(convert_uint4("
              + "*(const __global ushort4 *) ((halves) + (index))) << 16u); }"
              + " else { four_ = *(const __global float4 *) ((numbers) + (index)); }"
              + TO_REGISTERS
              + " }\nREAD_KEPT")
  final void readKept(float[] numbers, char[] halves, int index, float[] registers, int to) {
    for (int i = 0; i < 4; i++) {
      registers[to + i] = isNarrow == 1 ? widened(halves[index + i]) : numbers[index + i];
    }
  }

  /** Four of {@code registers} into whichever of two arrays is used, likewise. */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_KEPT(numbers, halves, index, registers, from) { float4 four_ = "
              + FROM_REGISTERS
              + "; if (this->isNarrow == 1) { uint4 bits_ = as_uint4(four_);"
              + " bits_ = (bits_ + 0x7fffu + ((bits_ >> 16u) & 1u)) >> 16u;"
              + " bits_ = select(bits_, (uint4) (0x7fc0u), isnan(four_));"
              + " *(__global ushort4 *) ((halves) + (index)) = convert_ushort4(bits_); }"
              + " else { *(__global float4 *) ((numbers) + (index)) = four_; } }\nWRITE_KEPT")
  final void writeKept(float[] numbers, char[] halves, int index, float[] registers, int from) {
    for (int i = 0; i < 4; i++) {
      if (isNarrow == 1) {
        halves[index + i] = (char) narrowed(registers[from + i]);
      } else {
        numbers[index + i] = registers[from + i];
      }
    }
  }
}
