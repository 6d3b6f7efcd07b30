package org.longspan.driver.recovery;

import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.longspan.driver.event.FailureKind;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Enters into the ledger what only Spark knows: ranks whose process is gone, and those that failed
 * before the program began.
 */
public final class StageWatch extends SparkListener {
  private static final String JOB_TAGS = "spark.job.tags";

  private final String tag;
  private final AttemptLedger ledger;
  private final Runnable cancel;
  private final Set<Object> stages = ConcurrentHashMap.newKeySet();

  /**
   * Watches the stages of jobs that carry {@code tag}.
   *
   * @param cancel ends those jobs, where no other attempt may follow
   */
  public StageWatch(String tag, AttemptLedger ledger, Runnable cancel) {
    this.tag = tag;
    this.ledger = ledger;
    this.cancel = cancel;
  }

  @Override
  public void onJobStart(SparkListenerJobStart job) {
    Properties properties = job.properties();
    if (properties != null && properties.getProperty(JOB_TAGS, "").contains(tag)) {
      stages.addAll(CollectionConverters.asJava(job.stageIds()));
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd task) {
    if (stages.contains(task.stageId())
        && task.reason() instanceof TaskFailedReason reason
        && !(reason instanceof TaskKilled)) {
      Failure failure =
          new Failure(
              ledger.rankOf(task.stageAttemptId(), task.taskInfo().partitionId()),
              task.stageAttemptId(),
              task.taskInfo().host(),
              reason instanceof ExecutorLostFailure ? FailureKind.LOST : FailureKind.DISCONNECTED,
              FailureKind.firstLine(reason.toErrorString()));
      if (!ledger.failed(failure) || !ledger.started(failure.attempt())) {
        cancel.run();
      }
    }
  }
}
