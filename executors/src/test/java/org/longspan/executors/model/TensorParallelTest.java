package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.parallelism.mesh.Mesh;

/** Loss and gradients of every parameter do not depend on how many ranks share the model. */
class TensorParallelTest {
  /** Of 2, 4 and 8 ranks some have more of these than others, as of the hidden columns. */
  private static final int VOCABULARY = 13;

  private static final int BLOCK = 16;
  private static final int LAYERS = 5;
  private static final int WIDTH = 24;

  private static RunConfiguration model(String precision, String... otherwise) {
    List<String> pairs =
        new ArrayList<>(
            List.of(
                "model.width", "" + WIDTH,
                "model.heads", "8",
                "model.layers", "" + LAYERS,
                "model.feed-forward", "11",
                "model.pattern", "[lightning, local, simple-gla, gla, gated-delta]",
                "model.window", "40",
                "model.convolution", "4",
                "kernel", "cpu",
                "precision", precision));
    pairs.addAll(List.of(otherwise));
    return Ranks.configuration(pairs.toArray(String[]::new));
  }

  private static Ranks ranks(RunConfiguration model) {
    return new Ranks(model, VOCABULARY, BLOCK);
  }

  private static void compare(
      Mesh mesh, int tokens, String documents, double limit, RunConfiguration model) {
    int[] starts = Arrays.stream(documents.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] sequence = Ranks.sequence(tokens, VOCABULARY, tokens);
    ranks(model)
        .lossAndGradients(mesh, sequence, starts)
        .assertClose(ranks(model).lossAndGradients(new Mesh(1, 1, 1), sequence, starts), limit);
  }

  // With 37 tokens the fourth sequence rank has none, with 20 the third neither.
  @ParameterizedTest
  @CsvSource({
    "1, 2, 131, 0 70",
    "1, 4, 131, 0 70",
    "1, 8, 131, 0 70",
    "2, 2, 131, 0 16 40 41 97",
    "2, 4, 128, 0",
    "2, 8, 131, 0 70",
    "4, 2, 131, 0 70",
    "4, 4, 37, 0 5",
    "4, 8, 20, 0",
    "1, 2, 5, 0 2"
  })
  void shouldNotDependOnTheMeshInDouble(int sequence, int tensor, int tokens, String documents) {
    compare(new Mesh(1, sequence, tensor), tokens, documents, 1e-12, model("double"));
  }

  // Wide heads and two layers: in a narrow and deep model with such weights one rank in float is
  // 1e-3 away from itself in double, by the norms of heads that give next to nothing.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | 2 | [lightning, local]",
        "1 | 8 | [simple-gla, gla]",
        "2 | 4 | [gated-delta, local]",
        "4 | 2 | [lightning, local]"
      })
  void shouldNotDependOnTheMeshInFloat(int sequence, int tensor, String pattern) {
    RunConfiguration wide =
        model("float", "model.width", "64", "model.layers", "2", "model.pattern", pattern);
    compare(new Mesh(1, sequence, tensor), 131, "0 70", 1e-5, wide);
  }

  // Three ranks add up in an order that depends on where a number lies.
  @Test
  void shouldNotDependOnAnOddNumberOfRanks() {
    RunConfiguration six = model("double", "model.heads", "6");
    compare(new Mesh(1, 2, 3), 131, "0 70", 1e-12, six);
    compare(
        new Mesh(1, 1, 3),
        131,
        "0 70",
        1e-12,
        model("double", "model.heads", "6", "deterministic", "true"));
  }

  @Test
  void shouldNotDependOnWhatLayersKeep() {
    compare(new Mesh(1, 2, 2), 131, "0 70", 1e-12, model("double", "train.recompute", "true"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldTrainEveryRankAsOneRank(int tensor) {
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 70};
    Ranks ranks = ranks(model("double"));
    Ranks.Outcome one = ranks.train(1, sequence, documents).get(0);
    assertThat(ranks.train(new Mesh(1, 2, tensor), sequence, documents))
        .hasSize(2)
        .allSatisfy(rank -> rank.assertClose(one, 1e-10));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void shouldStartTheSame(int tensor) {
    // The parameters after no step: a learning rate of next to nothing moves none.
    RunConfiguration still =
        model("double", "train.learning-rate", "1e-300", "train.weight-decay", "0");
    int[] sequence = Ranks.sequence(32, VOCABULARY, 1);
    Ranks.Outcome one = ranks(still).train(1, sequence, new int[] {0}).get(0);
    Ranks.Outcome many = ranks(still).train(new Mesh(1, 1, tensor), sequence, new int[] {0}).get(0);
    one.numbers().remove("norm of the gradient");
    one.numbers()
        .forEach(
            (name, values) ->
                assertThat(many.numbers().get(name)).as(name).containsExactly(values));
  }

  // Of T ranks each receives 2(T-1)/T of what is summed: twice a block's rows forward and twice
  // backward, the embedding's, the head's gradient; and 24 bytes a token of each other rank.
  @ParameterizedTest
  @CsvSource({"2, false", "4, false", "8, false", "2, true"})
  void shouldReceiveWhatTheLayersSay(int tensor, boolean recompute) {
    int tokens = 131;
    RunConfiguration model = model("double", "train.recompute", "" + recompute);
    int[] sequence = Ranks.sequence(tokens, VOCABULARY, 1);
    ranks(model)
        .run(
            new Mesh(1, 1, tensor),
            tokens,
            setup -> {
              SliceInput slice = ranks(model).slice(setup, sequence, new int[] {0});
              long rows = (long) tokens * WIDTH * Double.BYTES;
              long sum = 2 * rows * (tensor - 1) / tensor;
              long statistics = 24L * (tensor - 1) * tokens;
              long before = setup.model().tensor().receivedBytes();
              setup.model().loss(slice);
              long between = setup.model().tensor().receivedBytes();
              setup.model().lossAndGradient(slice);
              long after = setup.model().tensor().receivedBytes();
              assertThat(between - before).isEqualTo((2 * LAYERS + 1) * sum + statistics);
              assertThat(after - between).isEqualTo((4 * LAYERS + 2) * sum + statistics);
              return null;
            });
  }

  @Test
  void shouldRefuseRanksThatCannotShareTheModel() {
    assertThatThrownBy(
            () -> ModelShape.of(model("double"), VOCABULARY).requireSplit(3, "mesh.tensor"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "3 tensor ranks cannot share model.heads of 8 equally; 1, 2, 4 or 8 would do for"
                + " mesh.tensor.");
    assertThatThrownBy(() -> ModelShape.of(model("double"), 7).requireSplit(8, "mesh.tensor"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "8 tensor ranks cannot each have a share of the vocabulary of 7; up to 7 would do for"
                + " mesh.tensor.");
  }
}
