package org.longspan.executors.configuration;

/** The numbers from {@code low} (itself perhaps left out) to {@code high}. */
record Range(double low, boolean lowIsOut, double high) {
  static final Range ANY = new Range(Double.NEGATIVE_INFINITY, false, Double.POSITIVE_INFINITY);

  Range atLeast(double minimum) {
    return new Range(minimum, false, high);
  }

  Range atMost(double maximum) {
    return new Range(low, lowIsOut, maximum);
  }

  Range above(double limit) {
    return new Range(limit, true, high);
  }

  boolean contains(double value) {
    return (lowIsOut ? value > low : value >= low) && value <= high;
  }

  /** The bounds in words, to stand behind "a number". */
  @Override
  public String toString() {
    String from =
        low == Double.NEGATIVE_INFINITY ? "" : (lowIsOut ? " above " : " from ") + plain(low);
    String to = high == Double.POSITIVE_INFINITY ? "" : " to " + plain(high);
    return from + to + (to.isEmpty() && !from.isEmpty() && !lowIsOut ? " up" : "");
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
  }
}
