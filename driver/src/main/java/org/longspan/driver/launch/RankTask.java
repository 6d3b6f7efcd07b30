package org.longspan.driver.launch;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.BarrierTaskInfo;
import org.longspan.driver.event.EventCodec;
import org.longspan.driver.event.RankMessage;
import org.longspan.driver.plan.Fingerprint;
import org.longspan.driver.plan.RankPlan;
import org.longspan.executors.train.RankProgram;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.message.MessageCodec;
import org.longspan.parallelism.message.RankAddress;
import org.longspan.parallelism.transport.NetworkTransport;

/**
 * One rank's part of one attempt: it connects to the others, runs the program, and tells the driver
 * how that ended.
 */
final class RankTask implements BarrierStage.Body {
  private static final long serialVersionUID = 1L;

  /** How long a rank whose run is over waits for Spark to interrupt it. */
  private static final Duration CANCEL_LIMIT = Duration.ofMinutes(1);

  /** A {@link RankPlan}, written by {@link EventCodec}. */
  private final byte[] plan;

  private final Fingerprint fingerprint;
  private final RankProgram program;
  private final HadoopSettings hadoop;

  RankTask(RankPlan plan, Fingerprint fingerprint, RankProgram program, HadoopSettings hadoop) {
    this.plan = EventCodec.create().encode(plan);
    this.fingerprint = fingerprint;
    this.program = program;
    this.hadoop = hadoop;
  }

  @Override
  public void run(BarrierTaskContext task) {
    List<String> hosts = hosts(task);
    String host = hosts.get(task.partitionId());
    MessageCodec codec = EventCodec.create();
    RankPlan told = codec.decode(plan, RankPlan.class);
    int rank = Seats.of(hosts, told.mesh().tensor()).get(task.partitionId());
    DriverLink driver =
        new DriverLink(
            codec, new RankMessage.Sender(told.run(), rank, task.stageAttemptNumber(), host));
    try (NetworkTransport transport =
        NetworkTransport.bind(told.run(), told.secret(), host, told.timeLimit())) {
      try {
        begin(driver, task);
        AssignedDevice.use(task.resourcesJMap());
        connect(transport, rank, task, codec, host);
        program.run(context(told.mesh(), task, transport, driver));
        driver.finished();
      } catch (Throwable failure) {
        // Before the transport closes, so that the driver hears the cause before what follows.
        tellFailure(driver, task, failure);
        throw failure;
      }
    } catch (InterruptedException killed) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Rank " + rank + " was interrupted", killed);
    }
  }

  private static void begin(DriverLink driver, BarrierTaskContext task)
      throws InterruptedException {
    if (!driver.started(task.partitionId())) {
      awaitCancel();
    }
  }

  private void connect(
      NetworkTransport transport,
      int rank,
      BarrierTaskContext task,
      MessageCodec codec,
      String host) {
    int attempt = task.stageAttemptNumber();
    RankAddress own =
        new RankAddress(
            rank,
            attempt,
            host,
            transport.port(),
            ProcessHandle.current().pid(),
            fingerprint.hash());
    List<RankAddress> all = Rendezvous.meet(task, codec, own);
    transport.connect(rank, attempt, addresses(all));
  }

  private ExecutorRankContext context(
      Mesh mesh, BarrierTaskContext task, NetworkTransport transport, DriverLink driver) {
    return new ExecutorRankContext(
        mesh, transport, task.stageAttemptNumber(), task.cpus(), hadoop.configuration(), driver);
  }

  private static void tellFailure(DriverLink driver, BarrierTaskContext task, Throwable failure) {
    if (task.isInterrupted()) {
      return;
    }
    try {
      if (!driver.failed(failure)) {
        awaitCancel();
      }
    } catch (InterruptedException killed) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException unheard) {
      failure.addSuppressed(unheard);
    }
  }

  /** A task that fails makes Spark try again: one whose run is over waits for its end instead. */
  private static void awaitCancel() throws InterruptedException {
    Thread.sleep(CANCEL_LIMIT.toMillis());
    throw new IllegalStateException("The driver has ended the run");
  }

  private static List<InetSocketAddress> addresses(List<RankAddress> all) {
    return all.stream()
        .map(one -> InetSocketAddress.createUnresolved(one.host(), one.port()))
        .toList();
  }

  /** The executors' hosts, by task; the port beside each is Spark's. */
  private static List<String> hosts(BarrierTaskContext task) {
    return Arrays.stream(task.getTaskInfos())
        .map(BarrierTaskInfo::address)
        .map(address -> address.substring(0, address.lastIndexOf(':')))
        .toList();
  }
}
