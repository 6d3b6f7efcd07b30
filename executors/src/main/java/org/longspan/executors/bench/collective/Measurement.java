package org.longspan.executors.bench.collective;

/**
 * What the ranks measured of one collective.
 *
 * @param seconds of the slowest rank, the median of the repetitions
 * @param receivedBytes by the rank that receives most
 * @param predictedSeconds by {@link LinkCosts}
 * @param description how it travels, for people
 */
record Measurement(
    String collective,
    long stateBytes,
    double seconds,
    long receivedBytes,
    double predictedSeconds,
    String description) {
  private static final int WORDS = 6;

  /** As words with spaces between them. */
  String written() {
    return String.join(
        " ",
        collective,
        Long.toString(stateBytes),
        Double.toString(seconds),
        Long.toString(receivedBytes),
        Double.toString(predictedSeconds),
        description);
  }

  /** What {@link #written} gave. */
  static Measurement read(String words) {
    String[] each = words.split(" ", WORDS);
    return new Measurement(
        each[0],
        Long.parseLong(each[1]),
        Double.parseDouble(each[2]),
        Long.parseLong(each[3]),
        Double.parseDouble(each[4]),
        each[5]);
  }
}
