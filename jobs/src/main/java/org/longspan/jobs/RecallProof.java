package org.longspan.jobs;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.longspan.driver.launch.Launcher;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.executors.bench.recall.RecallProgram;
import org.longspan.executors.bench.recall.RecallSettings;
import org.longspan.executors.bench.recall.RecallTask;
import org.longspan.executors.layer.RankMode.Exchange;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;

/** One training to recall, on the executors of a Spark, and what it shows. */
final class RecallProof {
  private static final double ENOUGH = 0.95;

  /** Standard deviations by which guesses may be luckier than chance: once in 30,000 times. */
  private static final double LUCK = 4;

  private RecallProof() {}

  /**
   * What came out.
   *
   * @param processes in which the ranks ran
   * @param steps that the training took
   * @param right of the {@code asked} values that were to be recalled
   * @param seconds of training and asking, without Spark's start
   */
  record Result(
      RecallSettings settings, int processes, long steps, long right, long asked, double seconds) {
    double accuracy() {
      return (double) right / asked;
    }

    /**
     * Whether it is as it should be: every rank in a process of its own, as else nothing crosses
     * executors; above 95 % with the exchange; without it no better than what guesses may reach by
     * luck.
     */
    boolean holds() {
      return isOnExecutors()
          && switch (settings.exchange()) {
            case WHOLE -> accuracy() > ENOUGH;
            case CUT -> accuracy() < luckiestGuess();
          };
    }

    /** Whether every rank had a process of its own. */
    boolean isOnExecutors() {
      return processes == settings.task().ranks();
    }

    private double luckiestGuess() {
      double chance = RecallTask.CHANCE;
      return chance + LUCK * Math.sqrt(chance * (1 - chance) / asked);
    }

    boolean isCut() {
      return settings.exchange() == Exchange.CUT;
    }
  }

  /**
   * Trains and asks.
   *
   * @param events hears what the ranks report
   */
  static Result run(SparkRuntime spark, RecallSettings settings, Consumer<RankEvent> events) {
    Map<Integer, String> processes = new HashMap<>();
    RankEvent.Recall[] found = new RankEvent.Recall[1];
    long[] steps = new long[1];
    long begin = System.nanoTime();
    Launcher.run(
        spark.context(),
        LaunchPlan.of(new Mesh(1, settings.task().ranks(), 1), settings.configuration()::hash),
        new RecallProgram(settings),
        event -> {
          if (event instanceof RankEvent.Ready ready) {
            processes.put(ready.rank(), ready.host() + " " + ready.process());
          } else if (event instanceof RankEvent.Step step) {
            steps[0] = step.step();
          } else if (event instanceof RankEvent.Recall recall) {
            found[0] = recall;
          }
          events.accept(event);
        });
    if (found[0] == null) {
      throw new IllegalStateException("The ranks ended without having been asked");
    }
    return new Result(
        settings,
        (int) processes.values().stream().distinct().count(),
        steps[0],
        found[0].right(),
        found[0].asked(),
        (System.nanoTime() - begin) / 1e9);
  }
}
