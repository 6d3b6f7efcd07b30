package org.longspan.executors.kernel;

import org.longspan.executors.opencl.VectorKernel;

/**
 * A kernel of linear attention with what comes with the tokens, as floats or in halves, of some
 * heads of a slice.
 *
 * <p>Layouts, rows padded with zeros: {@code keySide} the queries and then the keys, each {@code
 * [tokens, heads, keyWidth]}; {@code valueSide} the values and then the outputs' gradients, each
 * {@code [tokens, heads, valueWidth]}; {@code keyOutputs} the gradients of queries and keys, {@code
 * valueOutputs} outputs or the gradients of values, alike. Each has an array for halves beside it,
 * and one of the two is used.
 */
abstract class TokenKernel extends VectorKernel {
  private static final String SIXTEEN_HALVES =
      " typedef ushort16 halves_ __attribute__((aligned(2)));";

  final float[] keySide;
  final float[] valueSide;
  final char[] keySideHalves;
  final char[] valueSideHalves;
  final float[] keyOutputs;
  final float[] valueOutputs;
  final char[] keyOutputHalves;
  final char[] valueOutputHalves;

  /** 1 where what comes with the tokens is kept in halves. */
  int isNarrow;

  /**
   * @param keyNumbers of the queries alone, padded
   * @param valueNumbers of the values alone, padded
   * @param hasGradients whether there is room for the backward
   */
  TokenKernel(Storage storage, int keyNumbers, int valueNumbers, boolean hasGradients) {
    this.isNarrow = storage == Storage.BF16 ? 1 : 0;
    int valueSideNumbers = valueNumbers * (hasGradients ? 2 : 1);
    this.keySide = storage.floats(2 * keyNumbers);
    this.keySideHalves = storage.halves(2 * keyNumbers);
    this.valueSide = storage.floats(valueSideNumbers);
    this.valueSideHalves = storage.halves(valueSideNumbers);
    int keyOutputNumbers = hasGradients ? 2 * keyNumbers : 1;
    this.keyOutputs = storage.floats(keyOutputNumbers);
    this.keyOutputHalves = storage.halves(keyOutputNumbers);
    this.valueOutputs = storage.floats(valueNumbers);
    this.valueOutputHalves = storage.halves(valueNumbers);
  }

  /** The queries and keys as they are kept. */
  final Object keyInputs() {
    return isNarrow == 1 ? keySideHalves : keySide;
  }

  /** The values and the outputs' gradients as they are kept. */
  final Object valueInputs() {
    return isNarrow == 1 ? valueSideHalves : valueSide;
  }

  /** The gradients of queries and keys as they are kept. */
  final Object keyResults() {
    return isNarrow == 1 ? keyOutputHalves : keyOutputs;
  }

  /** Outputs or the gradients of values as they are kept. */
  final Object valueResults() {
    return isNarrow == 1 ? valueOutputHalves : valueOutputs;
  }

  /**
   * A number of {@code keySide}. A kernel that reads most numbers so has a subclass for each
   * storage that overrides this and the three below: reads wait for each other where a choice lies
   * between them, and Aparapi takes the method of the class that is launched.
   */
  float key(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(keySideHalves[index]);
    } else {
      number = keySide[index];
    }
    return number;
  }

  /** A number of {@code valueSide}. */
  float value(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(valueSideHalves[index]);
    } else {
      number = valueSide[index];
    }
    return number;
  }

  void writeKey(int index, float number) {
    if (isNarrow == 1) {
      keyOutputHalves[index] = (char) narrowed(number);
    } else {
      keyOutputs[index] = number;
    }
  }

  void writeValue(int index, float number) {
    if (isNarrow == 1) {
      valueOutputHalves[index] = (char) narrowed(number);
    } else {
      valueOutputs[index] = number;
    }
  }

  /**
   * Four numbers of {@code keySide} (side 0) or {@code valueSide} (1), as {@link VectorKernel}
   * reads them.
   */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_TOKENS(side, index, registers, to) { float4 four_;"
              + " if (this->isNarrow == 1) { four_ = as_float4(convert_uint4(*(const __global"
              + " ushort4 *) (((side) == 0 ? this->keySideHalves : this->valueSideHalves)"
              + " + (index))) << 16u); }"
              + " else { four_ = *(const __global float4 *)"
              + " (((side) == 0 ? this->keySide : this->valueSide) + (index)); }"
              + TO_REGISTERS
              + " }\nREAD_TOKENS")
  final void readTokens(int side, int index, float[] registers, int to) {
    for (int i = 0; i < 4; i++) {
      if (side == 0) {
        registers[to + i] = key(index + i);
      } else {
        registers[to + i] = value(index + i);
      }
    }
  }

  /** Four of {@code registers} into {@code keyOutputs} (side 0) or {@code valueOutputs} (1). */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_TOKENS(side, index, registers, from) { float4 four_ = "
              + FROM_REGISTERS
              + "; if (this->isNarrow == 1) { uint4 bits_ = as_uint4(four_);"
              + " bits_ = (bits_ + 0x7fffu + ((bits_ >> 16u) & 1u)) >> 16u;"
              + " bits_ = select(bits_, (uint4) (0x7fc0u), isnan(four_));"
              + " *(__global ushort4 *) (((side) == 0 ? this->keyOutputHalves"
              + " : this->valueOutputHalves) + (index)) = convert_ushort4(bits_); }"
              + " else { *(__global float4 *) (((side) == 0 ? this->keyOutputs"
              + " : this->valueOutputs) + (index)) = four_; } }\nWRITE_TOKENS")
  final void writeTokens(int side, int index, float[] registers, int from) {
    for (int i = 0; i < 4; i++) {
      if (side == 0) {
        writeKey(index + i, registers[from + i]);
      } else {
        writeValue(index + i, registers[from + i]);
      }
    }
  }

  /** Sixteen numbers of {@code keySide} (side 0) or {@code valueSide} (1) into registers. */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_ROW(side, index, to, registers) {"
              + SIXTEEN
              + SIXTEEN_HALVES
              + " if (this->isNarrow == 1) { *(sixteen_ *) ((registers) + (to)) ="
              + " as_float16(convert_uint16(*(const __global halves_ *) (((side) == 0"
              + " ? this->keySideHalves : this->valueSideHalves) + (index))) << 16u); }"
              + " else { *(sixteen_ *) ((registers) + (to)) ="
              + " *(const __global sixteen_ *) (((side) == 0"
              + " ? this->keySide : this->valueSide) + (index)); } }\nREAD_ROW")
  final void readRow(int side, int index, int to, float[] registers) {
    for (int i = 0; i < 16; i++) {
      if (side == 0) {
        registers[to + i] = key(index + i);
      } else {
        registers[to + i] = value(index + i);
      }
    }
  }

  /** Sixteen registers into {@code keyOutputs} (side 0) or {@code valueOutputs} (1). */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_ROW(side, index, from, registers) {"
              + SIXTEEN
              + SIXTEEN_HALVES
              + " float16 row_ = *(sixteen_ *) ((registers) + (from));"
              + " if (this->isNarrow == 1) { uint16 bits_ = as_uint16(row_);"
              + " bits_ = (bits_ + 0x7fffu + ((bits_ >> 16u) & 1u)) >> 16u;"
              + " bits_ = select(bits_, (uint16) (0x7fc0u), isnan(row_));"
              + " *(__global halves_ *) (((side) == 0 ? this->keyOutputHalves"
              + " : this->valueOutputHalves) + (index)) = convert_ushort16(bits_); }"
              + " else { *(__global sixteen_ *) (((side) == 0 ? this->keyOutputs"
              + " : this->valueOutputs) + (index)) = row_; } }\nWRITE_ROW")
  final void writeRow(int side, int index, int from, float[] registers) {
    for (int i = 0; i < 16; i++) {
      if (side == 0) {
        writeKey(index + i, registers[from + i]);
      } else {
        writeValue(index + i, registers[from + i]);
      }
    }
  }
}
