package org.longspan.executors.train;

/**
 * Which sequence is taken when: every epoch goes once through all of them, in an order of its own
 * that the seed fixes, so that the number of sequences taken so far is the whole position in the
 * data. Within an epoch sample i is sequence {@code (a·i + b) mod n} with a prime to n.
 */
final class DataOrder {
  private final long sequences;
  private final long seed;

  DataOrder(long sequences, long seed) {
    if (sequences < 1) {
      throw new IllegalArgumentException("No order of " + sequences + " sequences");
    }
    this.sequences = sequences;
    this.seed = seed;
  }

  /** The sequence of sample {@code sample}, counted from the start of training. */
  long sequence(long sample) {
    long epoch = sample / sequences;
    long place = sample % sequences;
    long factor = 1 + Math.floorMod(mix(seed, 2 * epoch), sequences);
    while (greatestCommonDivisor(factor, sequences) != 1) {
      factor++;
    }
    long shift = Math.floorMod(mix(seed, 2 * epoch + 1), sequences);
    return Math.floorMod(
        Math.floorMod(
                java.math.BigInteger.valueOf(factor)
                    .multiply(java.math.BigInteger.valueOf(place))
                    .mod(java.math.BigInteger.valueOf(sequences))
                    .longValueExact(),
                sequences)
            + shift,
        sequences);
  }

  private static long greatestCommonDivisor(long a, long b) {
    return b == 0 ? a : greatestCommonDivisor(b, a % b);
  }

  /** SplitMix64's finalizer over both. */
  private static long mix(long seed, long number) {
    long bits = seed * 0x9E3779B97F4A7C15L + number * 0xD1B54A32D192ED03L;
    bits = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
    bits = (bits ^ (bits >>> 27)) * 0x94D049BB133111EBL;
    return bits ^ (bits >>> 31);
  }
}
