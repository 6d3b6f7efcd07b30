package org.longspan.executors.opencl;

/**
 * How many launches were timed and how long they took.
 *
 * @param launches how many
 * @param nanoseconds of the kernels alone
 * @param withTransfers of the kernels, their inputs' way to the device and their outputs' way back
 */
public record LaunchTime(int launches, long nanoseconds, long withTransfers) {
  /** That of no launch. */
  public static final LaunchTime NONE = new LaunchTime(0, 0, 0);

  /** Both, one after the other. */
  public LaunchTime plus(LaunchTime other) {
    return new LaunchTime(
        launches + other.launches,
        nanoseconds + other.nanoseconds,
        withTransfers + other.withTransfers);
  }
}
