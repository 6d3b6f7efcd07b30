package org.longspan.datapipeline.statistics;

import java.util.HashMap;
import java.util.Map;

/** How often each token followed each other. A table for small vocabularies, else a map. */
final class PairCounts {
  private static final int LARGEST_TABLE = 2048;

  private final int vocabulary;
  private final long[] table;
  private final Map<Long, Long> map = new HashMap<>();
  private final long[] previousCounts;
  private final long[] tokenCounts;
  private long total;

  PairCounts(int vocabulary) {
    this.vocabulary = vocabulary;
    this.table = vocabulary <= LARGEST_TABLE ? new long[vocabulary * vocabulary] : new long[0];
    this.previousCounts = new long[vocabulary];
    this.tokenCounts = new long[vocabulary];
  }

  void add(int previous, int token) {
    long pair = (long) previous * vocabulary + token;
    if (table.length > 0) {
      table[(int) pair]++;
    } else {
      map.merge(pair, 1L, Long::sum);
    }
    previousCounts[previous]++;
    tokenCounts[token]++;
    total++;
  }

  long total() {
    return total;
  }

  double unigramEntropy() {
    return entropy(tokenCounts);
  }

  /** H(x_t | x_{t-1}) = H(x_{t-1}, x_t) - H(x_{t-1}). */
  double bigramEntropy() {
    double joint =
        table.length > 0
            ? entropy(table)
            : entropy(map.values().stream().mapToLong(Long::longValue).toArray());
    return joint - entropy(previousCounts);
  }

  private double entropy(long[] counts) {
    double sum = 0;
    for (long count : counts) {
      if (count > 0) {
        double share = count / (double) total;
        sum -= share * Math.log(share);
      }
    }
    return sum;
  }
}
