package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.longspan.executors.convert.LatentCalibration;
import org.longspan.executors.convert.LatentConversion;
import org.longspan.executors.convert.LayerStatistics;
import org.longspan.executors.convert.TransformKind;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.mesh.Slice;

/** What calibrated scales of scores are worth to a model that has learned to recall. */
class ScoreCalibrationTest {
  private static final int VOCABULARY = 12;
  private static final int KEYS = 4;
  private static final int TOKENS = 64;
  private static final int STEPS = 400;

  private static <R> R inModel(String latent, Function<RankSetup, R> work) {
    return new OneRank(VOCABULARY, TOKENS, TOKENS)
        .in(
            "model: {width: 32, heads: 2, layers: 2, feed-forward: 48, convolution: 3, pattern: [latent],"
                + " latent: {rank: 16, nope: 12, rope: 4, "
                + latent
                + "}}\ntrain: {steps: 400, learning-rate: 0.01, warmup: 20}",
            work);
  }

  /** Keys, each before the value that it has in this sequence; values are to be predicted. */
  private static SliceInput sequence(long seed) {
    Random random = new Random(seed);
    int[] valueOf = random.ints(KEYS, KEYS, VOCABULARY).toArray();
    int[] tokens = new int[TOKENS];
    int[] targets = new int[TOKENS];
    for (int t = 0; t < TOKENS; t += 2) {
      tokens[t] = random.nextInt(KEYS);
      tokens[t + 1] = valueOf[tokens[t]];
      targets[t] = tokens[t + 1];
      targets[t + 1] = -1;
    }
    return new SliceInput(
        tokens, targets, Documents.one(TOKENS, 0), List.of(new Slice(0, TOKENS)), 0);
  }

  private static double validationLoss(RankSetup setup) {
    double sum = 0;
    for (long seed = 0; seed < 40; seed++) {
      sum += setup.model().loss(sequence(-1 - seed));
    }
    return sum / (40 * TOKENS / 2);
  }

  @Test
  void shouldNotBeWorseThanScalesOfOne() {
    try (Arena arena = new Arena("of the test", Precision.DOUBLE)) {
      LatentCalibration calibration = new LatentCalibration();
      Map<String, Matrix> parameters = new LinkedHashMap<>();
      double before =
          inModel(
              "form: mla",
              setup -> {
                TrainingStep step = new TrainingStep(setup, 1);
                for (int iteration = 0; iteration < STEPS; iteration++) {
                  long seed = 4L * iteration;
                  List<Supplier<SliceInput>> batch =
                      List.of(
                          () -> sequence(seed),
                          () -> sequence(seed + 1),
                          () -> sequence(seed + 2),
                          () -> sequence(seed + 3));
                  step.run(batch, iteration);
                }
                parameters.putAll(OneRank.copyOfParameters(setup, arena));
                setup.environment().watchLatents(calibration);
                for (long seed = 0; seed < 8; seed++) {
                  setup.model().loss(sequence(seed));
                }
                setup.environment().watchLatents(null);
                return validationLoss(setup);
              });
      // It has learned something: without recall the values are drawn from eight.
      assertThat(before).isLessThan(0.9 * Math.log(8));
      List<LayerStatistics> statistics = calibration.statistics();
      for (TransformKind kind : TransformKind.values()) {
        for (int groups : new int[] {2, 4}) {
          double[] losses =
              inModel(
                  "form: tpla, groups: " + groups,
                  setup -> {
                    new LatentConversion(kind, 5).apply(parameters, statistics, setup.model());
                    double calibrated = validationLoss(setup);
                    setup.model().parameters().forEach(ScoreCalibrationTest::resetScale);
                    return new double[] {calibrated, validationLoss(setup)};
                  });
          assertThat(losses[0])
              .as("%s, %d groups, %f of mla, %f uncalibrated", kind, groups, before, losses[1])
              .isLessThanOrEqualTo(losses[1] + tolerance(kind));
        }
      }
    }
  }

  /** Groups of minor components have hardly any scores: their factors are worth next to nothing. */
  private static double tolerance(TransformKind kind) {
    return switch (kind) {
      case HADAMARD -> 0;
      case PCA -> 1e-5;
    };
  }

  private static void resetScale(String name, Matrix values) {
    if (name.endsWith(".content-scale")) {
      for (int group = 0; group < values.columns(); group++) {
        values.put(0, group, 1);
      }
    }
  }
}
