package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.AttentionCase;
import org.longspan.executors.kernel.AttentionRanks;
import org.longspan.executors.kernel.AttentionRecurrence;
import org.longspan.executors.kernel.AttentionResult;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.Seams;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.kernel.WindowRanks;
import org.longspan.executors.kernel.WindowReference;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.DamagedTransport.Damage;
import org.longspan.executors.model.MistakenAttention.Mistake;
import org.longspan.executors.model.MistakenScan.StateMistake;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.Transport;

/**
 * The test of the tests: each way in which ranks go wrong must make the very comparison fail that
 * the tests of the ranks make, in float, where it allows the most. {@link LatentMutationTest} goes
 * on with what latent mixers share.
 */
class MutationTest {
  private static final Precision PRECISION = Precision.FLOAT;
  private static final AttentionShape SHAPE = new AttentionShape(2, 8, 6);
  private static final int CHUNK = 16;
  private static final int TOKENS = 131;

  /** A slice of three tokens, so that strong gates as well let something pass it. */
  private static final int[] CUTS = {40, 43, 100};

  /** Inside a slice, and at the edge of one. */
  private static final int[] STARTS = {41, 100};

  private static final double[] STRENGTHS = {1, 1.0 / 16, 1.0 / 256};
  private static final int WINDOW = 50;
  private static final int VOCABULARY = 13;

  /** What {@link SequenceParallelTest} allows in float. */
  private static final double LIMIT = 1e-5;

  private static final List<String> TENSOR_MIXERS = List.of("lightning", "local");

  private static final Pattern ALL_REDUCE =
      Pattern.compile("all-reduce (\\d+) \\(message (\\d+)\\)");

  private static void assertRejected(String what, ThrowingCallable comparison) {
    assertThatThrownBy(comparison).as(what).isInstanceOf(AssertionError.class);
  }

  private static void compare(LinearRule rule, double strength, Documents documents, Seams seams) {
    AttentionCase problem = AttentionCase.random(1, rule, SHAPE, strength, documents);
    AttentionResult expected = AttentionRecurrence.of(problem);
    AttentionRanks.of(problem, PRECISION, CHUNK)
        .withSeams(seams)
        .run(CUTS)
        .assertEquals(expected, Tolerance.of(rule, PRECISION), rule.name(), TOKENS, CUTS);
  }

  @ParameterizedTest
  @EnumSource
  void shouldAcceptStatesWhereNothingIsWrong(LinearRule rule) {
    for (double strength : STRENGTHS) {
      compare(rule, strength, Documents.one(TOKENS, 9), Seams.NONE);
      compare(rule, strength, new Documents(TOKENS, STARTS, 9), Seams.NONE);
    }
  }

  static Stream<Arguments> mistakesOfStates() {
    return Arrays.stream(LinearRule.values())
        .flatMap(
            rule ->
                Arrays.stream(StateMistake.values())
                    .flatMap(
                        mistake ->
                            Arrays.stream(ScanDirection.values())
                                .map(direction -> Arguments.of(rule, mistake, direction))));
  }

  @ParameterizedTest
  @MethodSource("mistakesOfStates")
  void shouldRejectAStateThatArrivesWrong(
      LinearRule rule, StateMistake mistake, ScanDirection direction) {
    Seams seams =
        new Seams() {
          @Override
          public StateScan scan(StateScan sound, AttentionCase slice, int place, int places) {
            boolean isFirst = place == (direction == ScanDirection.FORWARD ? 0 : places - 1);
            return isFirst ? sound : new MistakenScan(sound, slice, direction, mistake);
          }
        };
    for (double strength : STRENGTHS) {
      assertRejected(
          "strength " + strength, () -> compare(rule, strength, Documents.one(TOKENS, 9), seams));
    }
  }

  static Stream<Arguments> mistakesOfAttention() {
    return Arrays.stream(LinearRule.values())
        .flatMap(
            rule ->
                Arrays.stream(Mistake.values())
                    .filter(mistake -> mistake.concerns(rule))
                    .map(mistake -> Arguments.of(rule, mistake)));
  }

  @ParameterizedTest
  @MethodSource("mistakesOfAttention")
  void shouldRejectAttentionThatGoesWrongAtTheEdgesOfSlices(LinearRule rule, Mistake mistake) {
    Seams seams =
        new Seams() {
          @Override
          public LinearAttention attention(LinearAttention sound, AttentionCase slice) {
            return new MistakenAttention(sound, slice, mistake);
          }
        };
    Documents documents =
        mistake.leaks() ? new Documents(TOKENS, STARTS, 9) : Documents.one(TOKENS, 9);
    for (double strength : STRENGTHS) {
      assertRejected("strength " + strength, () -> compare(rule, strength, documents, seams));
    }
  }

  private static void compareWindows(Documents documents, Seams seams) {
    WindowReference reference = new WindowReference(1, SHAPE, documents, WINDOW);
    new WindowRanks(reference, WINDOW, 0, PRECISION, seams).assertEqualReference(CUTS);
  }

  private static Seams damaging(String kind, Damage damage) {
    return new Seams() {
      @Override
      public Transport network(Transport sound) {
        return new DamagedTransport(sound, words -> words.startsWith(kind), damage, PRECISION);
      }
    };
  }

  @Test
  void shouldAcceptWindowsWhereNothingIsWrong() {
    compareWindows(Documents.one(TOKENS, 0), Seams.NONE);
    compareWindows(new Documents(TOKENS, new int[] {0, 41, 100}, 0), Seams.NONE);
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectADamagedHaloOfAWindow(Damage damage) {
    for (String kind : List.of("halo forward", "halo backward")) {
      assertRejected(kind, () -> compareWindows(Documents.one(TOKENS, 0), damaging(kind, damage)));
    }
  }

  @Test
  void shouldRejectAWindowThatReachesIntoAnotherDocument() {
    Seams seams =
        new Seams() {
          @Override
          public WindowAttention window(WindowAttention sound) {
            return new LeakingWindow(sound);
          }
        };
    Documents atAnEdge = new Documents(TOKENS, new int[] {0, 100}, 0);
    assertRejected("documents", () -> compareWindows(atAnEdge, seams));
  }

  private static RunConfiguration model(String pattern, String window, String convolution) {
    return Ranks.configuration(
        "model.width", "16",
        "model.heads", "2",
        "model.layers", "2",
        "model.feed-forward", "12",
        "model.pattern", pattern,
        "model.window", window,
        "model.convolution", convolution,
        "precision", "double",
        "kernel", "cpu");
  }

  /** A model whose gates are divided by {@code weakness}, and what one rank makes of it. */
  private static final class ModelCase {
    private static final int RANKS = 4;

    private final RunConfiguration model;
    private final double weakness;
    private final int[] sequence = Ranks.sequence(128, VOCABULARY, 1);
    private final int[] documents = {0, 64};
    private final Ranks.Outcome one;

    ModelCase(RunConfiguration model, double weakness) {
      this.model = model;
      this.weakness = weakness;
      this.one = ranks(UnaryOperator.identity()).lossAndGradients(1, sequence, documents);
    }

    private Ranks ranks(UnaryOperator<Transport> network) {
      return new Ranks(model, VOCABULARY, 16, weakness, network);
    }

    /** Loss and gradients of several ranks against those of one. */
    void compare(UnaryOperator<Transport> network, UnaryOperator<SliceInput> given) {
      ranks(network).lossAndGradients(RANKS, sequence, documents, given).assertClose(one, LIMIT);
    }

    void compare(Predicate<String> damaged, Damage damage) {
      compare(
          sound -> new DamagedTransport(sound, damaged, damage, Precision.DOUBLE),
          UnaryOperator.identity());
    }

    /** What every rank has after some steps of training against what one rank has. */
    List<ThrowingCallable> comparisonsOfTraining(Predicate<String> damaged, Damage damage) {
      Ranks.Outcome trained = ranks(UnaryOperator.identity()).train(1, sequence, documents).get(0);
      return ranks(sound -> new DamagedTransport(sound, damaged, damage, Precision.DOUBLE))
          .train(RANKS, sequence, documents)
          .stream()
          .<ThrowingCallable>map(rank -> () -> rank.assertClose(trained, LIMIT))
          .toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"[lightning]", "[simple-gla]", "[gla]", "[gated-delta]"})
  void shouldRejectAModelWhoseStatesArriveDamaged(String pattern) {
    for (double weakness : new double[] {1, 16, 256}) {
      ModelCase problem = new ModelCase(model(pattern, "40", "0"), weakness);
      for (Damage damage : Damage.values()) {
        for (String kind : List.of("forward", "backward")) {
          assertRejected(
              damage + " " + kind + ", gates divided by " + weakness,
              () ->
                  problem.compare(
                      words -> words.startsWith("scan") && words.contains(kind), damage));
        }
      }
    }
  }

  /** Only the convolution's rows travel where a window of one token has no halo. */
  @ParameterizedTest
  @CsvSource({"40, 0", "1, 4"})
  void shouldRejectAModelWhoseHalosArriveDamaged(String window, String convolution) {
    ModelCase problem = new ModelCase(model("[local]", window, convolution), 1);
    for (Damage damage : Damage.values()) {
      for (String kind : List.of("halo forward", "halo backward")) {
        assertRejected(
            damage + " " + kind, () -> problem.compare(words -> words.startsWith(kind), damage));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "[lightning], 1, 0",
    "[simple-gla], 1, 0",
    "[gla], 1, 0",
    "[gated-delta], 1, 0",
    "[local], 40, 0",
    "[local], 1, 4"
  })
  void shouldRejectAModelThatMissesADocumentAtTheEdgeOfASlice(
      String pattern, String window, String convolution) {
    ModelCase problem = new ModelCase(model(pattern, window, convolution), 1);
    assertRejected(
        "a leak", () -> problem.compare(UnaryOperator.identity(), MutationTest::leaking));
  }

  /** The slice with its documents run together; the targets stay. */
  private static SliceInput leaking(SliceInput slice) {
    return Ranks.changed(
        slice, slice.targets(), Documents.one(slice.length(), slice.firstPosition()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[lightning, local]", "[simple-gla]", "[gla]", "[gated-delta]"})
  void shouldAcceptAModelWhereNothingIsWrong(String pattern) {
    for (double weakness : new double[] {1, 16, 256}) {
      new ModelCase(model(pattern, "40", "4"), weakness)
          .compare(UnaryOperator.identity(), UnaryOperator.identity());
    }
  }

  /**
   * A sum goes round in two turns: parts are added up, then the sums are passed on. Where the first
   * brings nothing, each rank keeps what it has itself; where it brings all twice, it is added so.
   */
  @ParameterizedTest
  @EnumSource(names = {"DROPPED", "DOUBLED"})
  void shouldRejectAGradientThatIsNotSummedOnce(Damage damage) {
    ModelCase problem = new ModelCase(model("[lightning, local]", "40", "4"), 1);
    assertThat(problem.comparisonsOfTraining(MutationTest::isAddedUp, damage))
        .hasSize(ModelCase.RANKS)
        .allSatisfy(comparison -> assertRejected(damage.name(), comparison));
  }

  @Test
  void shouldAcceptTrainingWhereEveryGradientIsSummedOnce() {
    ModelCase problem = new ModelCase(model("[lightning, local]", "40", "4"), 1);
    assertThat(problem.comparisonsOfTraining(words -> false, Damage.DROPPED))
        .allSatisfy(comparison -> assertThatCode(comparison).doesNotThrowAnyException());
  }

  /**
   * What a rank receives of the tensor ranks in a step over one block: its collectives by their
   * numbers, strips of the slice one after another. The first collective of all is about threads.
   */
  enum TensorSum {
    EMBEDDING(2, 5),
    MIXER_OUTPUT(6, 9),
    FEED_FORWARD_OUTPUT(10, 13),
    INPUT_GRADIENT_OF_THE_LAST_NORM(14, 25),
    INPUT_GRADIENT_OF_THE_FEED_FORWARD_NORM(26, 29),
    INPUT_GRADIENT_OF_THE_MIXER_NORM(30, 33),
    COMMON_GRADIENTS(34, 34);

    private final int first;
    private final int last;

    TensorSum(int first, int last) {
      this.first = first;
      this.last = last;
    }

    /** Whether a message adds up one of its strips: of two ranks, the first message. */
    boolean isAddedUp(String words) {
      Matcher sum = ALL_REDUCE.matcher(words);
      return sum.matches()
          && Integer.parseInt(sum.group(1)) >= first
          && Integer.parseInt(sum.group(1)) <= last
          && Integer.parseInt(sum.group(2)) < 2;
    }
  }

  private static RunConfiguration tensorModel(String mixer) {
    return model("[" + mixer + "]", "40", "4").with(Options.MODEL_LAYERS, 1);
  }

  private static void compareTensorRanks(String mixer, Predicate<String> damaged, Damage damage) {
    int[] sequence = Ranks.sequence(128, VOCABULARY, 1);
    int[] documents = {0, 70};
    Ranks.Outcome one =
        new Ranks(tensorModel(mixer), VOCABULARY, 16).lossAndGradients(1, sequence, documents);
    new Ranks(
            tensorModel(mixer),
            VOCABULARY,
            16,
            1,
            sound -> new DamagedTransport(sound, damaged, damage, Precision.DOUBLE))
        .lossAndGradients(new Mesh(1, 1, 2), sequence, documents)
        .assertClose(one, LIMIT);
  }

  /** Notes what goes by, and leaves it sound. */
  private static boolean notes(String words, Set<String> heard) {
    heard.add(words);
    return false;
  }

  @Test
  void shouldAcceptTensorRanksWhereNothingIsWrong() {
    Set<String> heard = ConcurrentHashMap.newKeySet();
    for (String mixer : TENSOR_MIXERS) {
      compareTensorRanks(mixer, words -> notes(words, heard), Damage.DROPPED);
    }
    for (TensorSum sum : TensorSum.values()) {
      assertThat(heard).as(sum.name()).anyMatch(sum::isAddedUp);
    }
    assertThat(heard).anyMatch(words -> words.startsWith("all-gather"));
    assertThat(heard)
        .noneMatch(words -> words.contains(" " + (TensorSum.COMMON_GRADIENTS.last + 1) + " "));
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectATensorSumThatIsNotMadeOnce(TensorSum sum) {
    for (String mixer : TENSOR_MIXERS) {
      for (Damage damage : List.of(Damage.DROPPED, Damage.DOUBLED)) {
        assertRejected(
            damage + " " + mixer, () -> compareTensorRanks(mixer, sum::isAddedUp, damage));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldRejectALossOfWhichPartOfTheVocabularyIsWrong(Damage damage) {
    assertRejected(
        damage.name(),
        () -> compareTensorRanks("lightning", words -> words.startsWith("all-gather"), damage));
  }

  /** Of the second sum of a step, the gradient's: the first is that of the losses. */
  private static boolean isAddedUp(String words) {
    Matcher sum = ALL_REDUCE.matcher(words);
    return sum.matches()
        && Integer.parseInt(sum.group(1)) % 2 == 0
        && Integer.parseInt(sum.group(2)) < ModelCase.RANKS;
  }
}
