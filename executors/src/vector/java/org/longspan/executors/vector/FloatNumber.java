package org.longspan.executors.vector;

/**
 * Rounds to {@code float}: in one place, so that the double form of the numeric classes has no cast
 * to itself.
 */
public final class FloatNumber {
  private FloatNumber() {}

  public static float of(double value) {
    return (float) value;
  }
}
