package org.longspan.executors.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Peak resident memory of a rank as its slice grows: the bench's model, two steps at each length,
 * each length longer than the one before, so that the process's peak is the last one's.
 */
public final class MemoryBench {
  private final List<Integer> lengths;
  private final int threads;

  /**
   * @param lengths tokens in the slice, ascending
   */
  public MemoryBench(List<Integer> lengths, int threads) {
    this.lengths = List.copyOf(lengths);
    this.threads = threads;
  }

  /**
   * What was measured at one length.
   *
   * @param peakMebibytes greatest resident size up to here
   * @param bytesPerToken by how much it grew since the length before, for each token more; 0 at the
   *     first
   */
  public record Result(int tokens, long peakMebibytes, double bytesPerToken) {}

  /** Measures. */
  public List<Result> run() {
    List<Result> results = new ArrayList<>();
    for (int length : lengths) {
      long peak = new StepBench(length, 0, threads).peakMebibytes();
      double grown = 0;
      if (!results.isEmpty()) {
        Result before = results.get(results.size() - 1);
        grown = (peak - before.peakMebibytes()) * (double) (1 << 20) / (length - before.tokens());
      }
      results.add(new Result(length, peak, grown));
    }
    return results;
  }
}
