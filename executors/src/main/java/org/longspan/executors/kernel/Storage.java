package org.longspan.executors.kernel;

/**
 * How a device keeps what comes with the tokens (queries, keys, values, outputs and the gradients
 * of these); it computes in float, and states, gates and sums are float always.
 */
enum Storage {
  FLOAT(Float.BYTES),

  /** The upper half of a float: eight bits of a number's twenty-four. */
  BF16(Character.BYTES);

  private final int bytes;

  Storage(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  int bytes() {
    return bytes;
  }

  /** An array of so many numbers where this is the storage, or of one that nobody uses. */
  float[] floats(int numbers) {
    return new float[this == FLOAT ? numbers : 1];
  }

  /** Likewise in 16 bits, in {@code char}, since Aparapi carries no {@code short}. */
  char[] halves(int numbers) {
    return new char[this == BF16 ? numbers : 1];
  }
}
