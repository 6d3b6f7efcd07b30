package org.longspan.driver.progress;

import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * A linear axis from {@code low} to {@code high}, both multiples of {@code tick}, a round number.
 */
record Axis(double low, double high, double tick) {
  private static final double[] ROUND = {1, 2, 2.5, 5, 10};

  /** The smallest axis of about {@code ticks} ticks that holds both values. */
  static Axis over(double low, double high, int ticks) {
    double span = high > low ? high - low : Math.max(Math.abs(high), 1) * 0.1;
    double magnitude = Math.pow(10, Math.floor(Math.log10(span / ticks)));
    double tick = ROUND[ROUND.length - 1] * magnitude;
    for (int i = ROUND.length - 1; i >= 0; i--) {
      if (ROUND[i] * magnitude * ticks >= span) {
        tick = ROUND[i] * magnitude;
      }
    }
    double bottom = Math.floor(low / tick + 1e-9) * tick;
    double top = Math.ceil(high / tick - 1e-9) * tick;
    return new Axis(bottom, top > bottom ? top : bottom + tick, tick);
  }

  /** Where {@code value} lies: 0 at the low end, 1 at the high one. */
  double place(double value) {
    return (value - low) / (high - low);
  }

  List<Double> ticks() {
    return LongStream.rangeClosed(0, Math.round((high - low) / tick))
        .mapToObj(i -> low + i * tick)
        .toList();
  }

  /** A tick's number with just the digits that tell it from its neighbours. */
  String label(double value) {
    double largest = Math.max(Math.abs(low), Math.abs(high));
    if (largest < 1e-3) {
      return Math.abs(value) < tick / 2 ? "0" : String.format(Locale.ROOT, "%.2g", value);
    }
    int digits = (int) Math.max(0, -Math.floor(Math.log10(tick) + 1e-9));
    boolean half = Math.abs(tick * Math.pow(10, digits) % 1 - 0.5) < 1e-6;
    return String.format(Locale.ROOT, "%,." + (half ? digits + 1 : digits) + "f", value + 0.0);
  }
}
