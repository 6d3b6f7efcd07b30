package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;
import org.longspan.executors.configuration.FaultChoice;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.train.RankContext;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.TrainingProgram;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

/**
 * A fault that the configuration asks for strikes the rank and the step that it names, in the first
 * attempt; the next one goes on from the checkpoint. {@link WholeWayTest} halts a process.
 */
@Timeout(300)
class InjectedFaultTest {
  private static final Mesh MESH = new Mesh(1, 2, 1);
  private static final int FAULTY = 1;
  private static final int STEPS = 4;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Of a rank that says nothing or too late. */
  private static final Duration SHORT = Duration.ofSeconds(4);

  @TempDir static Path folder;

  private static Map<Long, Double> undisturbed;

  /** What ranks reported, from any of them. */
  private final Queue<RankEvent> events = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void prepareAndTrainWithoutAFault() throws IOException {
    Path text = Files.createDirectories(folder.resolve("text"));
    for (int file = 0; file < 10; file++) {
      Files.writeString(text.resolve(file + ".txt"), ("words of file " + file + " ").repeat(40));
    }
    try (SparkRuntime spark = SparkRuntime.start("test", "local[1]")) {
      Prepare.run(spark.session(), PrepareOptions.of(List.of(text.toString()), data(), 2048));
    }
    InjectedFaultTest calm = new InjectedFaultTest();
    assertThat(calm.train(configuration(FaultChoice.NONE), "calm", 0, LIMIT))
        .containsOnly("came to its end");
    undisturbed = calm.losses();
    assertThat(undisturbed).hasSize(STEPS);
  }

  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"NONE", "HALT"})
  void shouldEndTheFirstAttemptAtTheStepAndLetTheNextGoOn(FaultChoice kind) {
    RunConfiguration configuration = configuration(kind);
    boolean isSilent = kind == FaultChoice.STALL || kind == FaultChoice.SLOW;

    List<String> ends = train(configuration, kind.name(), 0, isSilent ? SHORT : LIMIT);

    for (int rank = 0; rank < MESH.size(); rank++) {
      assertThat(ends.get(rank))
          .contains("Rank " + rank + ", peer " + (1 - rank) + ", channel ")
          .contains(" (step 3");
    }
    assertThat(ends.get(whoSeesIt(kind))).contains(symptom(kind));
    assertThat(losses()).containsOnlyKeys(1L, 2L);

    assertThat(train(configuration, kind.name(), 1, LIMIT)).containsOnly("came to its end");
    assertThat(events)
        .filteredOn(RankEvent.Resumed.class::isInstance)
        .extracting(event -> ((RankEvent.Resumed) event).step())
        .containsExactly(2L);
    Map<Long, Double> losses = losses();
    undisturbed.forEach(
        (step, loss) ->
            assertThat(losses.get(step)).as("step %s", step).isCloseTo(loss, within(1e-6)));
  }

  /** A rank that dies says so itself; of what else it does wrong, the other one tells. */
  private static int whoSeesIt(FaultChoice kind) {
    return kind == FaultChoice.DIE ? FAULTY : 1 - FAULTY;
  }

  private static String symptom(FaultChoice kind) {
    return switch (kind) {
      case NONE, HALT -> throw new IllegalArgumentException(kind + " is not tested here");
      case DIE -> "this rank dies, as it was told to";
      case STALL, SLOW -> "nothing arrived within 4.0 s";
      case WRONG_SHAPE -> "bytes arrived where ";
      case WRONG_ORDER -> "arrived where one of ";
      case WRONG_JOB -> "Rank 0 refuses a message of another job";
      case WRONG_ATTEMPT -> "Rank 0 of attempt 0 refuses a message of attempt 1 from rank 1";
    };
  }

  /** What each rank says at the end. */
  private List<String> train(
      RunConfiguration configuration, String run, int attempt, Duration timeLimit) {
    TrainingProgram program =
        new TrainingProgram(
            configuration,
            folder.resolve(run).toUri().toString(),
            TrainingProgram.StartFrom.NOTHING);
    return LocalRanks.run(
        NetworkTransport.loopback(MESH.size(), timeLimit, Protection.ENCRYPTED),
        transport -> {
          try (transport) {
            program.run(new Context(transport, attempt));
            return "came to its end";
          } catch (TransportException e) {
            return e.getMessage();
          }
        });
  }

  private Map<Long, Double> losses() {
    Map<Long, Double> losses = new HashMap<>();
    for (RankEvent event : events) {
      if (event instanceof RankEvent.Step step) {
        losses.put(step.step(), step.loss());
      }
    }
    return losses;
  }

  private static RunConfiguration configuration(FaultChoice kind) {
    Map<String, String> settings = new HashMap<>();
    settings.put("data.path", data());
    if (kind != FaultChoice.NONE) {
      settings.put("fault.kind", kind.name().toLowerCase(Locale.ROOT).replace('_', '-'));
      settings.put("fault.rank", Integer.toString(FAULTY));
      settings.put("fault.step", "3");
    }
    return RunConfiguration.parse(
        """
        model: {width: 16, heads: 2, layers: 2, pattern: [lightning, local], window: 32, convolution: 3}
        mesh: {sequence: 2}
        train: {steps: %d, checkpoint-every: 1, warmup: 2, learning-rate: 0.01}
        kernel: cpu
        """
            .formatted(STEPS),
        "the test",
        settings);
  }

  private static String data() {
    return folder.resolve("data").toString();
  }

  private final class Context implements RankContext {
    private final Transport transport;
    private final int attempt;
    private final Configuration hadoop = new Configuration();

    Context(Transport transport, int attempt) {
      this.transport = transport;
      this.attempt = attempt;
    }

    @Override
    public Mesh mesh() {
      return MESH;
    }

    @Override
    public Transport transport() {
      return transport;
    }

    @Override
    public int attempt() {
      return attempt;
    }

    @Override
    public int threads() {
      return 1;
    }

    @Override
    public Configuration hadoop() {
      return hadoop;
    }

    @Override
    public void report(RankEvent event) {
      events.add(event);
    }
  }
}
