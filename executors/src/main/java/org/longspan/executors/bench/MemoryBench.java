package org.longspan.executors.bench;

import java.util.List;
import java.util.function.Consumer;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.executors.train.RankMemory;

/**
 * Peak resident memory of a rank as its slice grows: the bench's model, two steps at each length,
 * each length longer than the one before, so that the process's peak is the last one's.
 */
public final class MemoryBench {
  private final List<Integer> lengths;
  private final int threads;
  private final LayerMemory memory;

  /**
   * @param lengths tokens in the slice, ascending
   * @param memory what layers keep
   */
  public MemoryBench(List<Integer> lengths, int threads, LayerMemory memory) {
    this.lengths = List.copyOf(lengths);
    this.threads = threads;
    this.memory = memory;
  }

  /**
   * What was measured at one length.
   *
   * @param peakMebibytes greatest resident size up to here
   * @param countedMebibytes what {@link RankMemory} counts beside the heap
   * @param bytesPerToken by how much it grew since the length before, for each token more; 0 at the
   *     first
   * @param tokensPerSecond of the second step
   */
  public record Result(
      int tokens,
      long peakMebibytes,
      long countedMebibytes,
      double bytesPerToken,
      double tokensPerSecond) {}

  /** Measures, and gives each result as soon as it is there. */
  public void run(Consumer<Result> results) {
    int tokensBefore = 0;
    long peakBefore = 0;
    for (int length : lengths) {
      StepBench.Brief brief = new StepBench(length, 0, threads, memory).runBriefly();
      double grown =
          tokensBefore == 0
              ? 0
              : (brief.peakMebibytes() - peakBefore) * (double) (1 << 20) / (length - tokensBefore);
      results.accept(
          new Result(
              length,
              brief.peakMebibytes(),
              brief.countedMebibytes(),
              grown,
              brief.tokensPerSecond()));
      tokensBefore = length;
      peakBefore = brief.peakMebibytes();
    }
  }
}
