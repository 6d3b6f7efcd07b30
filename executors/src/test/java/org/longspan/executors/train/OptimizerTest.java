package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.model.WarmupCosine;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

/** Updates against AdamW as its paper has it (arXiv 1711.05101), written out again. */
class OptimizerTest {
  private static final int VOCABULARY = 7;
  private static final int TOKENS = 12;
  private static final double PEAK = 0.01;
  private static final double DECAY = 0.3;

  private static void withModel(Consumer<RankSetup> body) {
    RunConfiguration configuration =
        RunConfiguration.parse(
            """
            model: {width: 4, heads: 1, layers: 1, feed-forward: 4, convolution: 2}
            train: {learning-rate: 0.01, weight-decay: 0.3, warmup: 2, steps: 6}
            precision: double
            kernel: cpu
            """,
            "test.yaml",
            Map.of());
    try (Transport alone = InProcessTransport.connect(1, Duration.ofSeconds(10)).get(0);
        RankSetup setup =
            new RankSetup(
                configuration,
                ModelShape.of(configuration, VOCABULARY),
                new Mesh(1, 1, 1),
                alone,
                1,
                TOKENS,
                32)) {
      body.accept(setup);
    }
  }

  @Test
  void shouldUpdateAsAdamWithDecoupledDecayOfWeightsOnly() {
    withModel(
        setup -> {
          WarmupCosine schedule = new WarmupCosine(PEAK, 2, 6);
          // DL4J updates with what a backward has left; its numbers are replaced below.
          setup.model().lossAndGradient(input());
          Random random = new Random(1);
          Map<String, double[]> values = new HashMap<>();
          Map<String, double[]> first = new HashMap<>();
          Map<String, double[]> second = new HashMap<>();
          setup
              .model()
              .parameters()
              .forEach(
                  (name, matrix) -> {
                    values.put(name, numbers(matrix));
                    first.put(name, new double[(int) matrix.size()]);
                    second.put(name, new double[(int) matrix.size()]);
                  });
          for (int iteration = 0; iteration < 5; iteration++) {
            double rate = schedule.valueAt(iteration, 0);
            for (Map.Entry<String, Matrix> gradient : setup.model().gradients().entrySet()) {
              String name = gradient.getKey();
              boolean decays = !name.contains("norm") && !name.contains("convolution");
              for (int i = 0; i < gradient.getValue().size(); i++) {
                double slope = random.nextGaussian();
                gradient
                    .getValue()
                    .put(
                        i / gradient.getValue().columns(),
                        i % gradient.getValue().columns(),
                        slope);
                double[] m = first.get(name);
                double[] v = second.get(name);
                double[] value = values.get(name);
                m[i] = 0.9 * m[i] + 0.1 * slope;
                v[i] = 0.95 * v[i] + 0.05 * slope * slope;
                double corrected =
                    m[i]
                        / (1 - Math.pow(0.9, iteration + 1))
                        / (Math.sqrt(v[i] / (1 - Math.pow(0.95, iteration + 1))) + 1e-8);
                value[i] -= rate * corrected + (decays ? rate * DECAY * value[i] : 0);
              }
            }
            assertThat(setup.model().update(iteration)).isCloseTo(rate, within(1e-15));
          }
          setup
              .model()
              .parameters()
              .forEach(
                  (name, matrix) ->
                      assertThat(numbers(matrix))
                          .as(name)
                          .containsExactly(values.get(name), within(1e-6)));
        });
  }

  @Test
  void shouldClipTheGradientToItsGlobalNorm() {
    withModel(
        setup -> {
          double clip = 1e-3;
          TrainingStep.Result result =
              new TrainingStep(setup, clip).run(List.of(OptimizerTest::input), 0);
          assertThat(result.gradientNorm()).isGreaterThan(10 * clip);
          // After one step the first moment is a tenth of the gradient that the optimizer was
          // given.
          Matrix moments = setup.model().optimizerState();
          double squares = 0;
          for (long row = 0; row < setup.model().size(); row++) {
            squares += Math.pow(moments.get(row, 0) / 0.1, 2);
          }
          assertThat(Math.sqrt(squares)).isCloseTo(clip, within(1e-9));
        });
  }

  @Test
  void shouldWarmUpAndFallToATenthOfThePeak() {
    WarmupCosine schedule = new WarmupCosine(2, 4, 104);
    assertThat(schedule.valueAt(0, 0)).isEqualTo(0.5);
    assertThat(schedule.valueAt(3, 0)).isEqualTo(2);
    assertThat(schedule.valueAt(4, 0)).isEqualTo(2);
    assertThat(schedule.valueAt(54, 0)).isCloseTo(1.1, within(1e-12));
    assertThat(schedule.valueAt(104, 0)).isCloseTo(0.2, within(1e-12));
    assertThat(schedule.valueAt(200, 0)).isCloseTo(0.2, within(1e-12));
    assertThat(new WarmupCosine(2, 0, 1).valueAt(0, 0)).isEqualTo(2);
  }

  private static SliceInput input() {
    int[] tokens = new Random(2).ints(TOKENS, 0, VOCABULARY).toArray();
    return new SliceInput(
        tokens, tokens, Documents.one(TOKENS, 0), List.of(new Slice(0, TOKENS)), 0);
  }

  private static double[] numbers(Matrix matrix) {
    double[] numbers = new double[(int) matrix.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = matrix.get(i / matrix.columns(), i % matrix.columns());
    }
    return numbers;
  }
}
