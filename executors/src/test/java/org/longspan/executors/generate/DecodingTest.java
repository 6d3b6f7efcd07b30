package org.longspan.executors.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

/** A token at a time gives the logits that the training form gives. */
class DecodingTest {
  private static final int VOCABULARY = 17;
  private static final int TOKENS = 90;

  private static RunConfiguration model(String keys) {
    return RunConfiguration.parse(
        "model: {width: 12, heads: 2, feed-forward: 20, window: 8, convolution: 4, "
            + keys
            + "}\nprecision: double\nkernel: cpu",
        "test.yaml",
        Map.of());
  }

  @Test
  void shouldGiveTheLogitsOfTheTrainingForm() {
    CacheSize size =
        assertEqualsTrainingForm(
            model("layers: 5, pattern: [lightning, local, simple-gla, gla, gated-delta]"), true);
    // States of two heads, two windows of keys and values, rows of the convolutions.
    assertThat(size).isEqualTo(new CacheSize(0, 8 * (4 * 12 * 6 + 2 * 16 * 12 + 5 * 4 * 12)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{rank: 8, rope: 4, value: 5}",
        "{rank: 8, rope: 4, query-rank: 7}",
        "{rank: 8, rope: 4, query-rank: 7, form: tpla, groups: 2}",
        "{rank: 8, rope: 4, form: tpla, groups: 4, norm: local}",
        "{rank: 8, rope: 4, form: mlra, groups: 2}"
      })
  void shouldGiveTheLogitsOfTheTrainingFormFromLatents(String latent) {
    CacheSize size =
        assertEqualsTrainingForm(
            model("layers: 3, pattern: [lightning, latent], latent: " + latent), false);
    assertThat(size).isEqualTo(new CacheSize((8 + 4) * 8, 8 * (2 * 12 * 6 + 3 * 4 * 12)));
  }

  private static CacheSize assertEqualsTrainingForm(RunConfiguration model, boolean isConstant) {
    ModelShape shape = ModelShape.of(model, VOCABULARY);
    int[] tokens = new Random(2).ints(TOKENS, 0, VOCABULARY).toArray();
    try (Transport alone = InProcessTransport.connect(1, Duration.ofSeconds(10)).get(0);
        RankSetup setup = new RankSetup(model, shape, new Mesh(1, 1, 1), alone, 1, TOKENS, 128)) {
      Random random = new Random(3);
      for (Matrix values : setup.model().parameters().values()) {
        for (long row = 0; row < values.rows(); row++) {
          for (int column = 0; column < values.columns(); column++) {
            values.put(row, column, values.get(row, column) + 0.3 * random.nextGaussian());
          }
        }
      }
      SliceInput input =
          new SliceInput(
              tokens, new int[TOKENS], Documents.one(TOKENS, 0), List.of(new Slice(0, TOKENS)), 0);
      Matrix expected = setup.model().logits(input, TOKENS);
      try (Workers workers = new Workers(1);
          Communicator tensor = Communicator.over(alone, List.of(0), 99);
          Decoding decoding =
              new Decoding(
                  shape,
                  Numerics.of(Precision.DOUBLE),
                  setup.model().parameters(),
                  CacheSplit.FORM,
                  workers,
                  tensor)) {
        long held = decoding.bytes();
        for (int t = 0; t < TOKENS; t++) {
          Matrix logits = decoding.step(tokens[t], LatentReading.FORM);
          for (int token = 0; token < VOCABULARY; token++) {
            assertThat(logits.get(0, token))
                .as("logit %s after %s tokens", token, t + 1)
                .isCloseTo(expected.get(t, token), within(1e-10));
          }
        }
        assertThat(decoding.bytes() == held).isEqualTo(isConstant);
        return decoding.cacheSize();
      }
    }
  }
}
