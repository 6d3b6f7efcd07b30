package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;
import org.longspan.driver.launch.Launcher;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.generate.Generator;
import org.longspan.executors.generate.GeneratorOptions;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.TrainingProgram;
import org.longspan.parallelism.mesh.Mesh;

/** Text in, a trained model out, on two executor processes. */
class WholeWayTest {
  private static final String CONFIGURATION =
      """
      model: {width: 16, heads: 2, layers: 2, pattern: [lightning, local], window: 32, convolution: 3}
      mesh: {sequence: 2}
      train: {steps: 4, checkpoint-every: 2, warmup: 2, learning-rate: 0.01}
      """;

  @TempDir Path folder;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final Terminal terminal =
      new Terminal(new PrintStream(written, true, StandardCharsets.UTF_8), false);

  @Test
  void shouldTrainResumeEvaluateAndGenerate() throws IOException {
    try (SparkRuntime spark = SparkRuntime.start("test", null, 2)) {
      Prepare.run(
          spark.session(),
          PrepareOptions.of(List.of(SmallDataset.writeText(folder)), data(), 2048)
              .withValidationShare(0.2));

      TrainingRun first = training(Map.of(), false);
      first.check(spark.hadoop());
      TrainingRun.Outcome outcome = first.run(spark, terminal);
      assertThat(logged()).hasSize(4);
      assertThat(text()).contains("Mesh    1 data × 2 sequence", "Rank 0 ", "Rank 1 ", "step 4/4");
      assertThat(folder.resolve("run/report.html")).content().contains("<polyline");

      assertThatThrownBy(() -> training(Map.of(), false).check(spark.hadoop()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("holds another run");
      assertThatThrownBy(() -> training(Map.of(), true).check(spark.hadoop()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("has done 4 of 4 steps");
      assertThatThrownBy(() -> training(Map.of("model.width", "32"), true).check(spark.hadoop()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("another model");

      TrainingRun second = training(Map.of("train.steps", "6", "mesh.sequence", "1"), true);
      second.check(spark.hadoop());
      TrainingRun.Outcome resumed = second.run(spark, terminal);
      assertThat(text()).contains("Goes on after step 4 from ");
      assertThat(logged()).hasSize(6);
      assertThat(logged().get(5)).contains("\"step\":6,", "\"validation_loss\":");
      assertThat(resumed.checkpoint()).isNotEqualTo(outcome.checkpoint());

      Evaluation.Result two = evaluate(spark, resumed.checkpoint(), 2);
      Evaluation.Result one = evaluate(spark, folder.resolve("run").toString(), 1);
      assertThat(one.tokens()).isEqualTo(two.tokens()).isPositive();
      assertThat(one.loss()).isCloseTo(two.loss(), within(1e-5 * two.loss()));
      assertThat(resumed.validationLoss().orElseThrow())
          .isCloseTo(two.loss(), within(1e-5 * two.loss()));

      try (Generator generator =
          Generator.load(spark.hadoop(), resumed.checkpoint(), GeneratorOptions.ONE_RANK)) {
        assertThat(generator.generate("ab", 20, 0.8, 1).text())
            .isEqualTo(generator.generate("ab", 20, 0.8, 1).text());
      }
    }
  }

  /** Four executors, two of which share each slice, end with the losses of one. */
  @Test
  void shouldSplitSequenceAndModelOverExecutors() throws IOException {
    try (SparkRuntime spark = SparkRuntime.start("test", null, 4)) {
      Prepare.run(
          spark.session(),
          PrepareOptions.of(List.of(SmallDataset.writeText(folder)), data(), 2048)
              .withValidationShare(0.2));
      Map<Long, Double> alone = new HashMap<>();
      train(spark, split(1, 1), "alone", new Mesh(1, 1, 1), event -> note(event, alone));
      Map<Long, Double> together = new HashMap<>();
      train(spark, split(2, 2), "together", new Mesh(1, 2, 2), event -> note(event, together));
      assertThat(together).hasSize(4);
      together.forEach(
          (step, loss) ->
              assertThat(loss)
                  .as("loss of step %s", step)
                  .isCloseTo(alone.get(step), within(1e-4)));

      String checkpoint = folder.resolve("together").toString();
      Evaluation.Result one = evaluate(spark, checkpoint, new Mesh(1, 1, 1));
      Evaluation.Result four = evaluate(spark, checkpoint, new Mesh(1, 2, 2));
      assertThat(four.tokens()).isEqualTo(one.tokens()).isPositive();
      assertThat(four.loss()).isCloseTo(one.loss(), within(1e-5 * one.loss()));
      assertThatThrownBy(
              () -> new Evaluation(checkpoint, data(), new Mesh(1, 1, 3)).check(spark.hadoop()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("3 tensor ranks cannot share model.heads of 2 equally");
    }
  }

  private RunConfiguration split(int sequence, int tensor) {
    return RunConfiguration.parse(
        CONFIGURATION,
        "the test",
        Map.of("data.path", data(), "mesh.sequence", "" + sequence, "mesh.tensor", "" + tensor));
  }

  @Test
  void shouldGoOnFromTheLastCheckpointWhereAnExecutorHaltsOrStalls() throws IOException {
    Map<String, String> settings =
        Map.of("data.path", data(), "train.steps", "16", "train.checkpoint-every", "5");
    try (SparkRuntime spark = SparkRuntime.start("test", null, 2)) {
      Prepare.run(
          spark.session(),
          PrepareOptions.of(List.of(SmallDataset.writeText(folder)), data(), 2048)
              .withValidationShare(0.2));
      Map<Long, Double> undisturbed = new HashMap<>();
      train(
          spark,
          RunConfiguration.parse(CONFIGURATION, "the test", settings),
          "calm",
          event -> note(event, undisturbed));

      assertThat(failuresBeforeItGoesOn(spark, settings, "halt", undisturbed))
          .extracting(RankEvent.Failed::attempt)
          .contains(0);
      assertThat(failuresBeforeItGoesOn(spark, settings, "stall", undisturbed))
          .filteredOn(failed -> failed.attempt() == 0)
          .anySatisfy(
              failed ->
                  assertThat(failed.sentence())
                      .contains("Rank 0, peer 1, channel ")
                      .contains(": nothing arrived within 20.0 s (step 13, layer "))
          .anySatisfy(
              failed ->
                  assertThat(failed.sentence())
                      .contains("Rank 1, peer 0, channel ")
                      .contains(" (step 13"));
    }
  }

  /** Trains while rank 1 does what it should not in step 13, and gives what ranks said of it. */
  private List<RankEvent.Failed> failuresBeforeItGoesOn(
      SparkRuntime spark,
      Map<String, String> settings,
      String fault,
      Map<Long, Double> undisturbed) {
    Map<String, String> faulty = new HashMap<>(settings);
    faulty.putAll(Map.of("fault.kind", fault, "fault.rank", "1", "fault.step", "13"));
    faulty.put("transport.time-limit", "20");
    Map<Long, Double> losses = new HashMap<>();
    List<RankEvent> events = new ArrayList<>();
    train(
        spark,
        RunConfiguration.parse(CONFIGURATION, "the test", faulty),
        fault,
        event -> {
          events.add(event);
          note(event, losses);
        });

    RankEvent.Resumed resumed =
        events.stream()
            .filter(RankEvent.Resumed.class::isInstance)
            .map(RankEvent.Resumed.class::cast)
            .reduce((first, second) -> second)
            .orElseThrow();
    assertThat(resumed.attempt()).isPositive();
    assertThat(resumed.step()).isEqualTo(10);
    assertThat(resumed.checkpoint()).endsWith(String.format("step-%08d", resumed.step()));
    assertThat(losses).hasSize(16);
    undisturbed.forEach(
        (step, loss) ->
            assertThat(losses.get(step)).as("loss of step %s", step).isCloseTo(loss, within(1e-4)));
    return events.stream()
        .filter(RankEvent.Failed.class::isInstance)
        .map(RankEvent.Failed.class::cast)
        .toList();
  }

  private void train(
      SparkRuntime spark,
      RunConfiguration configuration,
      String run,
      java.util.function.Consumer<RankEvent> events) {
    train(spark, configuration, run, new Mesh(1, 2, 1), events);
  }

  private void train(
      SparkRuntime spark,
      RunConfiguration configuration,
      String run,
      Mesh mesh,
      java.util.function.Consumer<RankEvent> events) {
    Launcher.run(
        spark.context(),
        LaunchPlan.of(mesh, configuration::hash)
            .withTimeLimit(Duration.ofSeconds(configuration.get(Options.TRANSPORT_TIME_LIMIT))),
        new TrainingProgram(
            configuration,
            folder.resolve(run).toUri().toString(),
            TrainingProgram.StartFrom.NOTHING),
        events);
  }

  private static void note(RankEvent event, Map<Long, Double> losses) {
    if (event instanceof RankEvent.Step step) {
      losses.put(step.step(), step.loss());
    }
  }

  private Evaluation.Result evaluate(SparkRuntime spark, String checkpoint, int ranks) {
    return evaluate(spark, checkpoint, new Mesh(1, ranks, 1));
  }

  private Evaluation.Result evaluate(SparkRuntime spark, String checkpoint, Mesh mesh) {
    Evaluation evaluation = new Evaluation(checkpoint, data(), mesh);
    evaluation.check(spark.hadoop());
    return evaluation.run(spark);
  }

  private TrainingRun training(Map<String, String> changes, boolean resume) {
    Map<String, String> overrides = new HashMap<>(changes);
    overrides.put("data.path", data());
    return new TrainingRun(
        RunConfiguration.parse(CONFIGURATION, "the test", overrides),
        folder.resolve("run").toString(),
        resume,
        Map.of("bigram entropy", 2.5));
  }

  private String data() {
    return folder.resolve("data").toString();
  }

  private List<String> logged() throws IOException {
    return Files.readAllLines(folder.resolve("run/run.jsonl"));
  }

  private String text() {
    return written.toString(StandardCharsets.UTF_8);
  }
}
