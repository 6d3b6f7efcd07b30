package org.longspan.executors.opencl;

/**
 * A kernel that moves four numbers at once, or computes with sixteen. Java and Aparapi know no
 * vectors, so each method here is mapped onto a macro that is defined where it is first used; its
 * body says what the macro does. Where four are moved, places in memory are multiples of four
 * numbers, in local memory counted from {@link #firstWhole}, and {@code registers} is an array of
 * the work-item's own, whose places are known when the kernel is compiled. Sixteen are taken
 * anywhere, and their registers are any array of the work-item's own.
 *
 * <p>Aparapi takes an array that is a method's first argument for a field that is written, which is
 * why other arguments come first where it is not.
 */
public abstract class VectorKernel extends DeviceKernel {
  /** Part of a macro: from {@code four_} into registers. */
  protected static final String TO_REGISTERS =
      " registers[to] = four_.x; registers[(to) + 1] = four_.y;"
          + " registers[(to) + 2] = four_.z; registers[(to) + 3] = four_.w;";

  /** Part of a macro: four registers as a vector. */
  protected static final String FROM_REGISTERS =
      "(float4) (registers[from], registers[(from) + 1], registers[(from) + 2],"
          + " registers[(from) + 3])";

  /**
   * Part of a macro: a vector of sixteen numbers, which processors hold in one register, at places
   * that are multiples of one number.
   */
  protected static final String SIXTEEN = " typedef float16 sixteen_ __attribute__((aligned(4)));";

  protected VectorKernel() {}

  /**
   * The first place in local memory that is a multiple of four numbers: drivers align an array to
   * one of its numbers only, so that three places may be left over.
   */
  @OpenCLMapping(
      mapTo = "\n#define FIRST_WHOLE(memory) ((int) (-((size_t) (memory)) & 15) / 4)\nFIRST_WHOLE")
  protected final int firstWhole(float[] memory) {
    return 0;
  }

  /** Four numbers of local memory, from {@code index} on, into {@code registers[to…]}. */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_LOCAL(memory, index, registers, to) {"
              + " float4 four_ = *(const __local float4 *) ((memory) + (index));"
              + TO_REGISTERS
              + " }\n"
              + "READ_LOCAL")
  protected final void readLocal(float[] memory, int index, float[] registers, int to) {
    for (int i = 0; i < 4; i++) {
      registers[to + i] = memory[index + i];
    }
  }

  /** Four of {@code registers}, from {@code from} on, into local memory. */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_LOCAL(memory, index, registers, from) {"
              + " *(__local float4 *) ((memory) + (index)) = "
              + FROM_REGISTERS
              + "; }\n"
              + "WRITE_LOCAL")
  protected final void writeLocal(float[] memory, int index, float[] registers, int from) {
    for (int i = 0; i < 4; i++) {
      memory[index + i] = registers[from + i];
    }
  }

  /** Four of {@code registers}, from {@code from} on, into global memory. */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_GLOBAL(memory, index, registers, from) {"
              + " *(__global float4 *) ((memory) + (index)) = "
              + FROM_REGISTERS
              + "; }\n"
              + "WRITE_GLOBAL")
  protected final void writeGlobal(float[] memory, int index, float[] registers, int from) {
    for (int i = 0; i < 4; i++) {
      memory[index + i] = registers[from + i];
    }
  }

  /** {@code to[at…] = number}, sixteen registers. */
  @OpenCLMapping(
      mapTo =
          "\n#define FILL_SIXTEEN(number, at, to) {"
              + SIXTEEN
              + " *(sixteen_ *) ((to) + (at)) = (float16) (number); }\nFILL_SIXTEEN")
  protected final void fillSixteen(float number, int at, float[] to) {
    for (int i = 0; i < 16; i++) {
      to[at + i] = number;
    }
  }

  /** Sixteen numbers of global memory, from {@code index} on, into {@code registers[to…]}. */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_SIXTEEN(index, memory, to, registers) {"
              + SIXTEEN
              + " *(sixteen_ *) ((registers) + (to)) ="
              + " *(const __global sixteen_ *) ((memory) + (index)); }\nREAD_SIXTEEN")
  protected final void readSixteen(int index, float[] memory, int to, float[] registers) {
    for (int i = 0; i < 16; i++) {
      registers[to + i] = memory[index + i];
    }
  }

  /** Sixteen of {@code registers}, from {@code from} on, into global memory. */
  @OpenCLMapping(
      mapTo =
          "\n#define WRITE_SIXTEEN(memory, index, registers, from) {"
              + SIXTEEN
              + " *(__global sixteen_ *) ((memory) + (index)) ="
              + " *(sixteen_ *) ((registers) + (from)); }\nWRITE_SIXTEEN")
  protected final void writeSixteen(float[] memory, int index, float[] registers, int from) {
    for (int i = 0; i < 16; i++) {
      memory[index + i] = registers[from + i];
    }
  }

  /** {@code sums[to…] += factor · numbers[from…]}, sixteen registers. */
  @OpenCLMapping(
      mapTo =
          "\n#define ADD_SCALED(factor, numbers, from, sums, to) {"
              + SIXTEEN
              + " *(sixteen_ *) ((sums) + (to)) = (factor) * *(sixteen_ *) ((numbers) + (from))"
              + " + *(sixteen_ *) ((sums) + (to)); }\nADD_SCALED")
  protected final void addScaled(float factor, float[] numbers, int from, float[] sums, int to) {
    for (int i = 0; i < 16; i++) {
      sums[to + i] = fma(factor, numbers[from + i], sums[to + i]);
    }
  }

  /** {@code sums[to…] += numbers[from…] · others[at…]}, each by each, sixteen registers. */
  @OpenCLMapping(
      mapTo =
          "\n#define ADD_PRODUCTS(from, numbers, at, others, to, sums) {"
              + SIXTEEN
              + " *(sixteen_ *) ((sums) + (to)) = *(sixteen_ *) ((numbers) + (from))"
              + " * *(sixteen_ *) ((others) + (at))"
              + " + *(sixteen_ *) ((sums) + (to)); }\nADD_PRODUCTS")
  protected final void addProducts(
      int from, float[] numbers, int at, float[] others, int to, float[] sums) {
    for (int i = 0; i < 16; i++) {
      sums[to + i] = fma(numbers[from + i], others[at + i], sums[to + i]);
    }
  }
}
