package org.longspan.executors.opencl;

/**
 * How long launches took.
 *
 * @param nanoseconds of the kernels alone
 * @param withTransfers of the kernels, their inputs' way to the device and their outputs' way back
 */
public record LaunchTime(long nanoseconds, long withTransfers) {
  /** That of no launch. */
  public static final LaunchTime NONE = new LaunchTime(0, 0);

  /** Both, one after the other. */
  public LaunchTime plus(LaunchTime other) {
    return new LaunchTime(nanoseconds + other.nanoseconds, withTransfers + other.withTransfers);
  }
}
