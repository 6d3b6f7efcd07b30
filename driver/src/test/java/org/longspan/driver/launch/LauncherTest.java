package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.rpc.RpcAddress;
import org.apache.spark.rpc.RpcEnv;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.driver.recovery.RunFailedException;
import org.longspan.executors.train.RankContext;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.RankProgram;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.Transport;

/** On two executor JVMs, which all tests share: one run after another in one Spark context. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LauncherTest {
  private static final Mesh MESH = new Mesh(1, 2, 1);
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int CHANNEL = 5;
  private static final int STEPS = 50;

  private static EmbeddedSpark spark;

  private final List<RankEvent> events = Collections.synchronizedList(new ArrayList<>());

  @BeforeAll
  static void start() {
    EmbeddedCluster cluster = new EmbeddedCluster(2, 1, 1024, 512);
    spark =
        EmbeddedSpark.start("launcher", cluster, Map.of("spark.hadoop.longspan.test", "7"), LIMIT);
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  @Test
  void shouldRunConnectedRanksAndHearThemInOrder() {
    run(
        context -> {
          introduce(context);
          for (int step = 1; step <= STEPS; step++) {
            double sum = sum(context.transport(), step * (context.transport().rank() + 1.0));
            if (context.transport().rank() == 0) {
              context.report(step(step, sum));
            }
          }
        });

    assertThat(of(RankEvent.Step.class))
        .extracting(RankEvent.Step::step)
        .hasSize(STEPS)
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(of(RankEvent.Step.class))
        .allSatisfy(step -> assertThat(step.loss()).isEqualTo(3.0 * step.step()));
    assertThat(of(RankEvent.Ready.class))
        .extracting(RankEvent.Ready::rank)
        .containsExactlyInAnyOrder(0, 1);
    assertThat(of(RankEvent.Ready.class))
        .extracting(RankEvent.Ready::process)
        .doesNotHaveDuplicates()
        .doesNotContain(ProcessHandle.current().pid());
  }

  @Test
  void shouldGiveRanksTheirThreadsAndTheDriversHadoopConfiguration() {
    run(
        context -> {
          if (context.hadoop().getInt("longspan.test", 0) != 7 || context.threads() != 1) {
            throw new IllegalStateException(context.threads() + " threads, " + context.hadoop());
          }
          introduce(context);
        });

    assertThat(events).hasSize(2);
  }

  @Test
  void shouldRefuseRanksThatRunAnotherConfiguration() {
    LaunchPlan plan = LaunchPlan.of(MESH, () -> "hash-" + TaskContext.getPartitionId());

    assertThatThrownBy(() -> Launcher.run(spark.context(), plan, LauncherTest::introduce, hear()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("Rank 0 on ")
        .hasMessageContaining(" runs another configuration than rank 1 on ");
    assertThat(events).isEmpty();
  }

  @Test
  void shouldTryAgainAfterAFault() {
    run(
        context -> {
          introduce(context);
          if (context.attempt() == 0 && context.transport().rank() == 1) {
            throw new IllegalStateException("Only the first time");
          }
          context.report(step(context.attempt(), sum(context.transport(), 1)));
        });

    assertThat(of(RankEvent.Step.class)).extracting(RankEvent.Step::step).containsExactly(1L, 1L);
    assertThat(of(RankEvent.Ready.class)).extracting(RankEvent.Ready::attempt).contains(0, 1);
  }

  @Test
  void shouldFailWithTheCauseAfterSoManyAttempts() {
    RankProgram program =
        context -> {
          introduce(context);
          if (context.transport().rank() == 1) {
            throw new IllegalStateException("Every time");
          }
          sum(context.transport(), 1);
        };

    assertThatThrownBy(() -> Launcher.run(spark.context(), plan().withAttempts(2), program, hear()))
        .isInstanceOf(RunFailedException.class)
        .hasMessageStartingWith(
            "The run failed after 2 attempts in a row without progress; in the last, rank 1 on ")
        .hasMessageEndingWith(": IllegalStateException: Every time");
    assertThat(of(RankEvent.Ready.class))
        .extracting(RankEvent.Ready::attempt)
        .doesNotContain(2)
        .contains(0, 1);
  }

  @Test
  void shouldPassAnInvalidInputThroughAtOnce() {
    RankProgram program =
        context -> {
          introduce(context);
          if (context.transport().rank() == 1) {
            throw new InvalidInputException("The checkpoint is of another model.");
          }
          sum(context.transport(), 1);
        };

    assertThatThrownBy(() -> Launcher.run(spark.context(), plan(), program, hear()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("The checkpoint is of another model.");
    assertThat(of(RankEvent.Ready.class)).extracting(RankEvent.Ready::attempt).containsOnly(0);
  }

  @Test
  void shouldGoOnAfterAnExecutorIsKilled() {
    Consumer<RankEvent> killer =
        event -> {
          events.add(event);
          if (event instanceof RankEvent.Ready ready && ready.rank() == 1 && ready.attempt() == 0) {
            ProcessHandle.of(ready.process()).orElseThrow().destroyForcibly();
          }
        };

    Launcher.run(
        spark.context(),
        plan(),
        context -> {
          introduce(context);
          Transport transport = context.transport();
          if (context.attempt() == 0) {
            transport.receive(1 - transport.rank(), CHANNEL, 0, ByteBuffer.allocate(1));
          }
          context.report(step(context.attempt(), sum(transport, 1)));
        },
        killer);

    // Spark may give a task to the lost executor once more before it knows: an attempt more, then.
    assertThat(of(RankEvent.Step.class))
        .extracting(RankEvent.Step::step)
        .hasSize(2)
        .containsOnly(of(RankEvent.Step.class).get(0).step())
        .doesNotContain(0L);
  }

  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void shouldSaySoonThatThereAreTooFewSlots() {
    LaunchPlan eight = LaunchPlan.of(new Mesh(2, 4, 1), () -> "hash");

    assertThatThrownBy(() -> Launcher.run(spark.context(), eight, LauncherTest::introduce, hear()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "The mesh needs 8 ranks (mesh.data 2, mesh.sequence 4, mesh.tensor 1), and the cluster"
                + " has 2 slots; lower mesh.sequence or mesh.data, or add executors.");
  }

  @Test
  void shouldLetNobodyInWithoutTheSecretOfSpark() {
    SparkConf member = spark.context().getConf();
    SparkConf stranger = new SparkConf(false).set(SparkSettings.AUTHENTICATE, "false");
    SparkConf guest = member.clone().set("spark.authenticate.secret", "guessed");

    assertThat(reaches(member)).isTrue();
    assertThat(reaches(stranger)).isFalse();
    assertThat(reaches(guest)).isFalse();
  }

  /** Whether somebody with these settings is answered at the driver's port. */
  private static boolean reaches(SparkConf conf) {
    SecurityManager security =
        new SecurityManager(
            conf,
            SecurityManager.$lessinit$greater$default$2(),
            SecurityManager.$lessinit$greater$default$3());
    SparkConf driver = spark.context().getConf();
    String host = driver.get("spark.driver.host");
    RpcEnv network = RpcEnv.create("visitor", host, 0, conf, security, true);
    try {
      network.setupEndpointRef(
          new RpcAddress(host, Integer.parseInt(driver.get("spark.driver.port"))),
          "MapOutputTracker");
      return true;
    } catch (Exception refused) {
      return false;
    } finally {
      network.shutdown();
    }
  }

  @Test
  void shouldLeaveNoThreadOfARankBehind() {
    run(
        context -> {
          sum(context.transport(), 1);
          context.report(new RankEvent.Checkpoint(0, String.join(",", transportThreads())));
        });
    Set<String> before =
        of(RankEvent.Checkpoint.class).stream()
            .flatMap(names -> Stream.of(names.path().split(",")))
            .collect(Collectors.toCollection(HashSet::new));
    run(context -> context.report(step(0, awaitEnd(before) ? 0 : 1)));

    assertThat(before).hasSizeGreaterThan(1);
    assertThat(of(RankEvent.Step.class)).extracting(RankEvent.Step::loss).containsExactly(0.0, 0.0);
  }

  /** Whether the threads end in time. Spark's library numbers its pools, so a name is used once. */
  private static boolean awaitEnd(Set<String> threads) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (System.nanoTime() < deadline) {
      if (Collections.disjoint(transportThreads(), threads)) {
        return true;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
    return false;
  }

  /** With the process's number: the executors number their threads apart. */
  private static Set<String> transportThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("longspan"))
        .map(name -> ProcessHandle.current().pid() + " " + name)
        .collect(Collectors.toSet());
  }

  private void run(RankProgram program) {
    Launcher.run(spark.context(), plan(), program, hear());
  }

  private Consumer<RankEvent> hear() {
    return events::add;
  }

  private <E extends RankEvent> List<E> of(Class<E> type) {
    return events.stream().filter(type::isInstance).map(type::cast).toList();
  }

  private static LaunchPlan plan() {
    return LaunchPlan.of(MESH, () -> "hash").withTimeLimit(LIMIT);
  }

  private static void introduce(RankContext context) {
    try {
      context.report(
          new RankEvent.Ready(
              context.transport().rank(),
              context.attempt(),
              InetAddress.getLocalHost().getHostName(),
              ProcessHandle.current().pid(),
              context.threads(),
              "none"));
    } catch (IOException unknown) {
      throw new IllegalStateException(unknown);
    }
  }

  private static RankEvent.Step step(long step, double loss) {
    return new RankEvent.Step(step, loss, 1, 1, 1, 1);
  }

  /** The sum of both ranks' numbers. */
  private static double sum(Transport transport, double own) {
    int peer = 1 - transport.rank();
    transport.send(peer, CHANNEL, 0, ByteBuffer.allocate(Double.BYTES).putDouble(own).flip());
    ByteBuffer other = ByteBuffer.allocate(Double.BYTES);
    transport.receive(peer, CHANNEL, 0, other);
    return own + other.getDouble(0);
  }
}
