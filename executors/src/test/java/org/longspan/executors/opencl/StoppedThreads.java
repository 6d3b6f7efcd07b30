package org.longspan.executors.opencl;

/**
 * A program whose threads compute while OpenCL devices are listed, and all stop at once for the
 * collector: each by a memory fault.
 */
final class StoppedThreads {
  static final String END = "All threads went on";

  private static final int THREADS = 4;
  private static final int MILLISECONDS_TO_BE_COMPILED = 500;

  private static volatile boolean ended;

  private StoppedThreads() {}

  public static void main(String[] arguments) throws InterruptedException {
    Thread[] threads = new Thread[THREADS];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(StoppedThreads::compute);
      threads[i].start();
    }
    Thread.sleep(MILLISECONDS_TO_BE_COMPILED);
    System.out.println(OpenClDevices.all().size() + " devices");
    System.gc();
    ended = true;
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println(END);
  }

  private static void compute() {
    long steps = 0;
    while (!ended) {
      steps++;
    }
    if (steps == 0) {
      throw new AssertionError("Not a step");
    }
  }
}
