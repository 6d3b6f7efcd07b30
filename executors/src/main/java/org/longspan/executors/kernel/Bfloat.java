package org.longspan.executors.kernel;

/** The upper half of a float, as bf16 numbers are kept. */
final class Bfloat {
  private static final int BITS = 16;
  private static final int BELOW_HALF = 0x7fff;
  private static final char NOT_A_NUMBER = 0x7fc0;

  private Bfloat() {}

  /** The nearest, of two as near the even one. */
  static char of(float number) {
    if (Float.isNaN(number)) {
      return NOT_A_NUMBER;
    }
    int bits = Float.floatToRawIntBits(number);
    return (char) ((bits + BELOW_HALF + ((bits >>> BITS) & 1)) >>> BITS);
  }

  static float toFloat(char half) {
    return Float.intBitsToFloat(half << BITS);
  }

  /** Numbers of {@code from} into an array of halves. */
  static void narrow(float[] from, int first, char[] to, int at, int length) {
    for (int i = 0; i < length; i++) {
      to[at + i] = of(from[first + i]);
    }
  }

  /** Halves of {@code from} into an array of numbers. */
  static void widen(char[] from, int first, float[] to, int at, int length) {
    for (int i = 0; i < length; i++) {
      to[at + i] = toFloat(from[first + i]);
    }
  }
}
