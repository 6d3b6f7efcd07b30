package org.longspan.driver.launch;

import java.lang.management.ManagementFactory;

/**
 * The size of a Spark on this machine.
 *
 * @param executors JVMs, one for each rank
 * @param cores threads of each rank
 * @param heapMegabytes the most Java objects of an executor
 * @param offHeapMegabytes the most memory of an executor beside its heap: tensors
 */
public record EmbeddedCluster(int executors, int cores, int heapMegabytes, int offHeapMegabytes) {
  private static final int DEFAULT_HEAP_MEGABYTES = 1024;
  private static final int LEAST_OFF_HEAP_MEGABYTES = 1024;
  private static final double EXECUTORS_SHARE = 0.7;

  public EmbeddedCluster {
    if (executors < 1 || cores < 1 || heapMegabytes < 1 || offHeapMegabytes < 1) {
      throw new IllegalArgumentException(
          String.format(
              "%d executors of %d cores, %d MB of heap and %d MB beside it",
              executors, cores, heapMegabytes, offHeapMegabytes));
    }
  }

  /** One core and a heap of 1 GB each; 70 % of the machine's memory in all. */
  public static EmbeddedCluster of(int executors) {
    int each = (int) (EXECUTORS_SHARE * physicalMegabytes() / executors);
    return new EmbeddedCluster(
        executors,
        1,
        DEFAULT_HEAP_MEGABYTES,
        Math.max(LEAST_OFF_HEAP_MEGABYTES, each - DEFAULT_HEAP_MEGABYTES));
  }

  public EmbeddedCluster withCores(int number) {
    return new EmbeddedCluster(executors, number, heapMegabytes, offHeapMegabytes);
  }

  public EmbeddedCluster withHeap(int megabytes) {
    return new EmbeddedCluster(executors, cores, megabytes, offHeapMegabytes);
  }

  public EmbeddedCluster withOffHeap(int megabytes) {
    return new EmbeddedCluster(executors, cores, heapMegabytes, megabytes);
  }

  /** Spark's name for it. */
  String master() {
    return String.format("local-cluster[%d,%d,%d]", executors, cores, heapMegabytes);
  }

  private static long physicalMegabytes() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
            .getTotalMemorySize()
        >> 20;
  }
}
