package org.longspan.executors.opencl;

/**
 * A kernel that moves four numbers at once. Java and Aparapi know no vectors, so each method here
 * is mapped onto a macro that is defined where it is first used; its body says what the macro does.
 * Places in memory are multiples of four numbers, in local memory counted from {@link #firstWhole};
 * {@code registers} is an array of the work-item's own, whose places are known when the kernel is
 * compiled.
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
}
