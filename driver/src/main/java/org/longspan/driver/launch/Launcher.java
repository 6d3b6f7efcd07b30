package org.longspan.driver.launch;

import java.util.Arrays;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.driver.plan.RankPlan;
import org.longspan.driver.plan.SlotCheck;
import org.longspan.driver.recovery.AttemptLedger;
import org.longspan.driver.recovery.StageWatch;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.RankProgram;

/** Runs a program on every rank of a mesh, and again where a rank is lost. */
public final class Launcher {
  private static final String INTERRUPT_ON_CANCEL = "spark.job.interruptOnCancel";

  private Launcher() {}

  /**
   * Runs the program and returns when every rank has ended and all that they reported was heard.
   * One Spark context may do this several times.
   *
   * @param spark started with {@link SparkSettings}
   * @param events hears the newest attempt's reports in the order of each rank, and why an attempt
   *     failed; from any thread. It must not block for long, nor throw
   * @throws org.longspan.datapipeline.InvalidInputException where there are too few slots, or a
   *     rank threw one; there is no other attempt then
   * @throws org.longspan.driver.recovery.RunFailedException where too many attempts failed
   */
  public static void run(
      JavaSparkContext spark, LaunchPlan plan, RankProgram program, Consumer<RankEvent> events) {
    checkPlugin(spark);
    SlotCheck.check(spark, plan.mesh());
    String run = "longspan-" + UUID.randomUUID();
    AttemptLedger ledger =
        new AttemptLedger(plan.attempts(), failure -> events.accept(failure.event()));
    Runnable cancel = () -> spark.sc().cancelJobsWithTag(run);
    StageWatch watch = new StageWatch(run, ledger, cancel);
    RankTask task =
        new RankTask(
            new RankPlan(run, RandomSecret.text(), plan.mesh(), plan.timeLimit()),
            plan.fingerprint(),
            program,
            HadoopSettings.of(spark.hadoopConfiguration()));
    RunDesks.open(run, new RunDesk(ledger, events, cancel));
    spark.sc().addSparkListener(watch);
    try {
      runTagged(spark, run, () -> BarrierStage.run(spark, plan.mesh().size(), task));
    } catch (Exception failure) {
      cancel.run();
      throw ledger.verdict(failure);
    } finally {
      spark.sc().removeSparkListener(watch);
      RunDesks.close(run);
    }
  }

  /** Marks what this thread starts, so that it can be cancelled alone and its tasks end at once. */
  private static void runTagged(JavaSparkContext spark, String tag, Runnable job) {
    SparkContext context = spark.sc();
    String interruptBefore = context.getLocalProperty(INTERRUPT_ON_CANCEL);
    context.addJobTag(tag);
    context.setInterruptOnCancel(true);
    try {
      job.run();
    } finally {
      context.removeJobTag(tag);
      context.setLocalProperty(INTERRUPT_ON_CANCEL, interruptBefore);
    }
  }

  private static void checkPlugin(JavaSparkContext spark) {
    String plugins = spark.getConf().get(SparkSettings.PLUGINS, "");
    if (!Arrays.asList(plugins.split(",")).contains(EventPlugin.class.getName())) {
      throw new IllegalStateException(
          "Spark was started without " + EventPlugin.class.getName() + " in spark.plugins");
    }
  }
}
