package org.longspan.executors.opencl;

/**
 * How many work-items a launch has.
 *
 * @param groups work-groups, the same in every pass
 * @param groupSize work-items in each
 * @param passes how often the kernel runs, each pass after the one before
 */
public record LaunchShape(int groups, int groupSize, int passes) {
  public LaunchShape {
    if (groups < 1 || groupSize < 1 || passes < 1) {
      throw new IllegalArgumentException(
          "A launch of "
              + groups
              + " groups of "
              + groupSize
              + " work-items in "
              + passes
              + " passes: each must be at least 1");
    }
  }

  /** Enough groups for {@code items} work-items in one pass. */
  public static LaunchShape covering(long items, int groupSize, int passes) {
    return new LaunchShape(Math.toIntExact((items + groupSize - 1) / groupSize), groupSize, passes);
  }

  /** Work-items of one pass. */
  int items() {
    return Math.multiplyExact(groups, groupSize);
  }
}
