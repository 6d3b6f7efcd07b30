package org.longspan.executors.opencl;

/** What launches kernels and can say how long the device took for them. */
public interface DeviceTimed {
  /**
   * From now on each launch is repeated without transfers to be timed. Its cost doubles: for
   * benchmarks.
   */
  void timeLaunches();

  /**
   * The time of all launches since the last call here; {@link LaunchTime#NONE} if none is timed.
   */
  LaunchTime takeLaunchTime();
}
