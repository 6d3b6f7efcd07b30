package org.longspan.driver.plan;

import java.time.Duration;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.parallelism.mesh.Mesh;

/**
 * Says early that a mesh has more ranks than Spark can run at the same time. It stands on {@code
 * SparkContext.maxNumConcurrentTasks}, which is Spark's own.
 */
public final class SlotCheck {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private SlotCheck() {}

  /**
   * Waits a few seconds for executors that are still about to register.
   *
   * @throws InvalidInputException where there are too few slots even then, within 10 s
   */
  public static void check(JavaSparkContext spark, Mesh mesh) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    int slots = slots(spark.sc());
    while (slots < mesh.size() && System.nanoTime() < deadline) {
      pause();
      slots = slots(spark.sc());
    }
    if (slots < mesh.size()) {
      throw new InvalidInputException(
          String.format(
              "The mesh needs %d ranks (mesh.data %d, mesh.sequence %d, mesh.tensor %d), and the"
                  + " cluster has %d slots; lower mesh.sequence or mesh.data, or add executors.",
              mesh.size(), mesh.data(), mesh.sequence(), mesh.tensor(), slots));
    }
  }

  /** Tasks that the executors which are registered now can run at the same time. */
  private static int slots(SparkContext spark) {
    return spark.maxNumConcurrentTasks(spark.resourceProfileManager().defaultResourceProfile());
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while executors register", interrupted);
    }
  }
}
