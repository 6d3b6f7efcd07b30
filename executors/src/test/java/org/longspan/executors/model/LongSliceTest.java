package org.longspan.executors.model;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.parallelism.mesh.Mesh;

/** Slices so long that their rest is computed from the state that has come, not added to by it. */
class LongSliceTest {
  private static final int VOCABULARY = 11;
  private static final int BLOCK = 512;
  private static final int TOKENS = 3 * 5632 + 77;
  private static final int[] SEQUENCE = Ranks.sequence(TOKENS, VOCABULARY, TOKENS);

  private static Ranks ranks(String recompute) {
    return new Ranks(
        Ranks.configuration(
            "model.width", "8",
            "model.heads", "2",
            "model.layers", "2",
            "model.feed-forward", "6",
            "model.pattern", "[lightning]",
            "train.recompute", recompute,
            "precision", "double"),
        VOCABULARY,
        BLOCK);
  }

  @ParameterizedTest
  @CsvSource({"2, false", "3, false", "3, true"})
  void shouldHaveTheGradientsOfOneRank(int sequence, String recompute) {
    for (int[] documents : new int[][] {{0}, {0, 7000}, {0, 5700, 11400}}) {
      Ranks.Outcome one = ranks("false").lossAndGradients(new Mesh(1, 1, 1), SEQUENCE, documents);

      ranks(recompute)
          .lossAndGradients(new Mesh(1, sequence, 1), SEQUENCE, documents)
          .assertClose(one, 1e-10);
    }
  }
}
