package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.DamagedTransport.Damage;
import org.longspan.executors.model.WatchedTransport.Watch;
import org.longspan.parallelism.mesh.Mesh;

/**
 * The test of the tests of latent mixers: what their ranks send each other goes wrong on its way,
 * in the collectives that training uses, and the comparison with one rank must fail, in float,
 * where it allows the most. What they sum over the tensor ranks is counted as well.
 */
class LatentMutationTest {
  private static final int VOCABULARY = 11;
  private static final int TOKENS = 128;
  private static final int BLOCK = 16;
  private static final int[] SEQUENCE = Ranks.sequence(TOKENS, VOCABULARY, 1);
  private static final int[] DOCUMENTS = {0, 70};

  /** What one rank finds. */
  private static final Map<Form, Ranks.Outcome> ONE_RANK = new ConcurrentHashMap<>();

  /** What {@link LatentModelTest} allows in float. */
  private static final double LIMIT = 1e-5;

  private static final String KEY_ROPE = "mixer.key-rope";
  private static final int WIDTH = 8;
  private static final int QUERY_RANK = 6;
  private static final int RANK = 8;
  private static final int ROPE = 2;

  /** Of the groups of ranks that {@code RankSetup} makes. */
  private static final int SEQUENCE_CHANNEL = 2;

  private static final int TENSOR_CHANNEL = 4;

  /** Strips of the slice that are summed over the tensor ranks one after another. */
  private static final int STRIPS = 4;

  private static final Pattern ALL_REDUCE =
      Pattern.compile("all-reduce (\\d+) \\(message (\\d+)\\)");

  /** The forms that differ in what their tensor ranks share, with the columns of that. */
  enum Form {
    MLA("mla", "1", "exact", RANK, 0),
    TPLA_EXACT("tpla", "4", "exact", 0, 1),
    TPLA_LOCAL("tpla", "4", "local", 0, 0),
    MLRA("mlra", "4", "local", 0, 0);

    private final String form;
    private final String groups;
    private final String norm;
    private final int latents;
    private final int norms;

    Form(String form, String groups, String norm, int latents, int norms) {
      this.form = form;
      this.groups = groups;
      this.norm = norm;
      this.latents = latents;
      this.norms = norms;
    }

    RunConfiguration model() {
      return Ranks.configuration(
          "model.width", Integer.toString(WIDTH),
          "model.heads", "4",
          "model.layers", "1",
          "model.feed-forward", "12",
          "model.pattern", "[latent]",
          "model.latent.rank", Integer.toString(RANK),
          "model.latent.query-rank", Integer.toString(QUERY_RANK),
          "model.latent.nope", "3",
          "model.latent.rope", Integer.toString(ROPE),
          "model.latent.value", "5",
          "model.latent.form", form,
          "model.latent.groups", groups,
          "model.latent.norm", norm,
          "kernel", "cpu",
          "precision", "double");
    }

    /** Numbers of a token that the backward's fused sum is of. */
    int columns() {
      return QUERY_RANK + latents + ROPE + norms;
    }
  }

  /** What the backward sums over the tensor ranks. */
  enum Shared {
    QUERIES,
    LATENT,
    ROTATED_KEY,
    NORM;

    int first(Form form) {
      return switch (this) {
        case QUERIES -> 0;
        case LATENT -> QUERY_RANK;
        case ROTATED_KEY -> QUERY_RANK + form.latents;
        case NORM -> QUERY_RANK + form.latents + ROPE;
      };
    }

    int count(Form form) {
      return switch (this) {
        case QUERIES -> QUERY_RANK;
        case LATENT -> form.latents;
        case ROTATED_KEY -> ROPE;
        case NORM -> form.norms;
      };
    }
  }

  private static Ranks ranks(Form form, Watch watch) {
    return new Ranks(
        form.model(), VOCABULARY, BLOCK, 1, sound -> new WatchedTransport(sound, watch));
  }

  private static void compare(Form form, Mesh mesh, Watch watch) {
    outcome(form, mesh, watch).assertClose(ofOneRank(form), LIMIT);
  }

  private static Ranks.Outcome outcome(Form form, Mesh mesh, Watch watch) {
    return ranks(form, watch).lossAndGradients(mesh, SEQUENCE, DOCUMENTS);
  }

  private static Ranks.Outcome ofOneRank(Form form) {
    return ONE_RANK.computeIfAbsent(
        form, any -> outcome(any, new Mesh(1, 1, 1), (channel, words, message) -> {}));
  }

  private static void assertRejected(String what, ThrowingCallable comparison) {
    assertThatThrownBy(comparison).as(what).isInstanceOf(AssertionError.class);
  }

  /** Damages the part of a sum of rows of {@code width} numbers that others add to. */
  private static Watch damagingSums(
      Mesh mesh, int width, int first, int count, Damage damage, Set<String> struck) {
    int bytes = TOKENS / mesh.tensor() * width * Double.BYTES;
    return (channel, words, message) -> {
      Matcher sum = ALL_REDUCE.matcher(words);
      if (channel == TENSOR_CHANNEL
          && message.remaining() == bytes
          && sum.matches()
          && Integer.parseInt(sum.group(2)) < mesh.tensor()) {
        struck.add(words);
        change(message, numbers -> damageColumns(numbers, width, first, count, damage));
      }
    };
  }

  private static void change(ByteBuffer message, Consumer<double[]> change) {
    PlainNumbers.change(message, Precision.DOUBLE, change);
  }

  private static void damageColumns(
      double[] numbers, int width, int first, int count, Damage damage) {
    for (int row = 0; row < numbers.length / width; row++) {
      int from = row * width + first;
      double[] columns = Arrays.copyOfRange(numbers, from, from + count);
      damage.apply(columns);
      System.arraycopy(columns, 0, numbers, from, count);
    }
  }

  /** Gives what the ranks of each mesh made of it. */
  private static List<Ranks.Outcome> assertRejected(Form form, Shared shared, Damage damage) {
    List<Ranks.Outcome> outcomes = new ArrayList<>();
    for (int tensor : new int[] {2, 4}) {
      Mesh mesh = new Mesh(1, 1, tensor);
      Set<String> struck = ConcurrentHashMap.newKeySet();
      Watch watch =
          damagingSums(
              mesh, form.columns(), shared.first(form), shared.count(form), damage, struck);
      Ranks.Outcome damaged = outcome(form, mesh, watch);
      assertRejected(damage + " at " + tensor, () -> damaged.assertClose(ofOneRank(form), LIMIT));
      assertThat(struck).as("messages of one sum").hasSize(tensor - 1);
      outcomes.add(damaged);
    }
    return outcomes;
  }

  /** By the gradient of the rotated key's own weights alone, whatever else has gone wrong. */
  private static void assertKeyRopeRejected(Form form, Damage damage) {
    Ranks.Outcome expected = ofOneRank(form).only(KEY_ROPE);
    assertThat(expected.numbers()).hasSize(1);
    for (Ranks.Outcome damaged : assertRejected(form, Shared.ROTATED_KEY, damage)) {
      assertThatThrownBy(() -> damaged.only(KEY_ROPE).assertClose(expected, LIMIT))
          .as("%s", damage)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining(KEY_ROPE);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldAcceptRanksWhereNothingIsWrong(Form form) {
    for (Mesh mesh : List.of(new Mesh(1, 1, 2), new Mesh(1, 1, 4), new Mesh(1, 4, 1))) {
      assertThatCode(() -> compare(form, mesh, (channel, words, message) -> {}))
          .doesNotThrowAnyException();
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectARotatedKeyWhoseGradientIsNotSummed(Form form) {
    assertKeyRopeRejected(form, Damage.DROPPED);
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectARotatedKeyWhoseGradientIsSummedTwice(Form form) {
    assertKeyRopeRejected(form, Damage.DOUBLED);
  }

  static Stream<Arguments> othersThatAreShared() {
    return Arrays.stream(Form.values())
        .flatMap(
            form ->
                Stream.of(Shared.QUERIES, Shared.LATENT, Shared.NORM)
                    .filter(shared -> shared.count(form) > 0)
                    .map(shared -> Arguments.of(form, shared)));
  }

  @ParameterizedTest
  @MethodSource("othersThatAreShared")
  void shouldRejectASharedGradientThatIsNotSummedOnce(Form form, Shared shared) {
    assertRejected(form, shared, Damage.DROPPED);
    assertRejected(form, shared, Damage.DOUBLED);
  }

  @ParameterizedTest
  @EnumSource(names = {"DROPPED", "DOUBLED"})
  void shouldRejectAnExactNormWhoseSquaresAreNotSummedOnce(Damage damage) {
    Mesh mesh = new Mesh(1, 1, 2);
    Set<String> struck = ConcurrentHashMap.newKeySet();
    assertRejected(
        damage.name(),
        () -> compare(Form.TPLA_EXACT, mesh, damagingSums(mesh, 1, 0, 1, damage, struck)));
    assertThat(struck).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectDamagedLatentGradientsOfOtherGroups(Damage damage) {
    int bytes = TOKENS * RANK / 2 * Double.BYTES;
    for (Form form : List.of(Form.TPLA_EXACT, Form.TPLA_LOCAL, Form.MLRA)) {
      Set<String> struck = ConcurrentHashMap.newKeySet();
      Watch watch =
          (channel, words, message) -> {
            if (channel == TENSOR_CHANNEL
                && message.remaining() == bytes
                && words.startsWith("all-gather")) {
              struck.add(words);
              change(message, damage::apply);
            }
          };
      assertRejected(damage + " " + form, () -> compare(form, new Mesh(1, 1, 2), watch));
      assertThat(struck).hasSize(1);
    }
  }

  /** Latents and their gradients, and the queries that others attend for, one after another. */
  @ParameterizedTest
  @EnumSource(names = "MLA")
  void shouldRejectWhateverArrivesDamagedFromAnotherSlice(Form form) {
    Mesh mesh = new Mesh(1, 4, 1);
    Predicate<String> isOfMixer =
        words -> words.startsWith("send") || words.startsWith("all-to-all");
    Set<String> heard = ConcurrentHashMap.newKeySet();
    compare(
        form,
        mesh,
        (channel, words, message) -> {
          if (channel == SEQUENCE_CHANNEL && isOfMixer.test(words) && message.hasRemaining()) {
            heard.add(words);
          }
        });
    assertThat(heard).anyMatch(words -> words.startsWith("send"));
    assertThat(heard).anyMatch(words -> words.startsWith("all-to-all"));
    for (String one : heard) {
      for (Damage damage : List.of(Damage.DROPPED, Damage.DOUBLED)) {
        assertRejected(
            damage + " " + one,
            () ->
                compare(
                    form,
                    mesh,
                    (channel, words, message) -> {
                      if (channel == SEQUENCE_CHANNEL && words.equals(one)) {
                        change(message, damage::apply);
                      }
                    }));
      }
    }
  }

  /**
   * Every sum over two tensor ranks in a step over one block, in numbers: of all that a latent
   * mixer shares, its backward has one.
   */
  @ParameterizedTest
  @EnumSource
  void shouldSumWhatTensorRanksShareInOneMessageEachWay(Form form) {
    Map<Integer, Integer> numbers = new ConcurrentSkipListMap<>();
    new Ranks(
            form.model(),
            VOCABULARY,
            BLOCK,
            1,
            sound ->
                new WatchedTransport(
                    sound,
                    (channel, words, message) -> {
                      Matcher sum = ALL_REDUCE.matcher(words);
                      if (sound.rank() == 0 && channel == TENSOR_CHANNEL && sum.matches()) {
                        numbers.merge(
                            Integer.parseInt(sum.group(1)),
                            message.remaining() / Double.BYTES,
                            Integer::sum);
                      }
                    }))
        .lossAndGradients(new Mesh(1, 1, 2), SEQUENCE, DOCUMENTS);
    List<Integer> strips = Collections.nCopies(STRIPS, TOKENS / STRIPS * WIDTH);
    // The threads that both have, then what tokens are.
    List<Integer> expected = new ArrayList<>(List.of(2));
    expected.addAll(strips);
    expected.addAll(Collections.nCopies(form.norms, TOKENS));
    // What the mixer gives, what the feed-forward part gives, and backward from the head and it.
    for (int sum = 0; sum < 4; sum++) {
      expected.addAll(strips);
    }
    expected.add(TOKENS * form.columns());
    expected.add(common(form));
    assertThat(numbers.values()).containsExactlyElementsOf(expected);
  }

  /** Numbers of the parameters that both ranks hold. */
  private static int common(Form form) {
    return ModelShape.of(form.model(), VOCABULARY)
        .parameters(new TensorPlace(0, 2))
        .values()
        .stream()
        .filter(shape -> !shape.split())
        .mapToInt(shape -> Math.toIntExact(shape.size()))
        .sum();
  }
}
