package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.train.RankSetup;
import org.longspan.executors.train.SliceReader;
import org.longspan.executors.train.TrainingStep;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Rank;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** Runs a model on several ranks of this JVM, over one sequence that is cut over them. */
final class Ranks {
  private final RunConfiguration configuration;
  private final int vocabulary;
  private final int block;
  private final double weakness;
  private final UnaryOperator<Transport> network;

  Ranks(RunConfiguration configuration, int vocabulary, int block) {
    this(configuration, vocabulary, block, 1, UnaryOperator.identity());
  }

  /**
   * @param weakness by what the logs of gates are divided
   * @param network what stands between a rank and its transport
   */
  Ranks(
      RunConfiguration configuration,
      int vocabulary,
      int block,
      double weakness,
      UnaryOperator<Transport> network) {
    this.configuration = configuration;
    this.vocabulary = vocabulary;
    this.block = block;
    this.weakness = weakness;
    this.network = network;
  }

  /** What {@code body} gives on each of {@code ranks} sequence ranks. */
  <T> List<T> run(int ranks, int tokens, Function<RankSetup, T> body) {
    return run(new Mesh(1, ranks, 1), tokens, body);
  }

  /** Likewise on each rank of {@code mesh}. */
  <T> List<T> run(Mesh mesh, int tokens, Function<RankSetup, T> body) {
    return LocalRanks.run(
        InProcessTransport.connect(mesh.size(), Duration.ofSeconds(60)).stream()
            .map(network)
            .toList(),
        transport -> {
          try (RankSetup setup =
              new RankSetup(
                  configuration,
                  ModelShape.of(configuration, vocabulary),
                  mesh,
                  transport,
                  1,
                  tokens,
                  block)) {
            return body.apply(setup);
          }
        });
  }

  /** The slice of {@code sequence} that the rank of {@code setup} holds. */
  SliceInput slice(RankSetup setup, int[] sequence, int[] documents) {
    int places = setup.environment().sequence().size();
    int place = setup.environment().sequence().index();
    BlockGrid grid = new BlockGrid(sequence.length, block);
    List<Slice> slices = IntStream.range(0, places).mapToObj(p -> grid.slice(p, places)).toList();
    int from = (int) slices.get(place).start();
    int to = (int) slices.get(place).end();
    int more = Math.min(to + 1, sequence.length);
    int[] read = from == to ? new int[0] : java.util.Arrays.copyOfRange(sequence, from, more);
    int[] starts =
        java.util.Arrays.stream(documents)
            .filter(start -> start >= from && start < more)
            .map(start -> start - from)
            .toArray();
    long before =
        from == to
            ? 0
            : from
                - java.util.Arrays.stream(documents).filter(start -> start <= from).max().orElse(0);
    return SliceReader.input(read, starts, before, to - from, slices, place);
  }

  /** Tokens of a sequence that repeats itself a little. */
  static int[] sequence(int tokens, int vocabulary, long seed) {
    Random random = new Random(seed);
    int[] sequence = new int[tokens];
    for (int t = 0; t < tokens; t++) {
      sequence[t] = t > 7 && random.nextInt(3) > 0 ? sequence[t - 5] : random.nextInt(vocabulary);
    }
    return sequence;
  }

  /**
   * What ranks computed: a loss, and numbers by the parameter's name, or another.
   *
   * @param numbers gradients of the loss, or the parameters after training
   */
  record Outcome(double loss, Map<String, double[]> numbers) {
    /** Of the parameters only those of this name, in every block. */
    Outcome only(String parameter) {
      Map<String, double[]> some = new LinkedHashMap<>(numbers);
      some.keySet().removeIf(name -> !name.endsWith(parameter));
      return new Outcome(loss, some);
    }

    /**
     * Loss and numbers are as expected, as relative norms. A gate's gradient is a sum of
     * differences: it has five times the rounding of the others.
     */
    void assertClose(Outcome expected, double limit) {
      assertThat(Math.abs(loss - expected.loss) / expected.loss).as("loss").isLessThan(limit);
      assertThat(numbers).hasSameSizeAs(expected.numbers);
      expected.numbers.forEach(
          (name, values) ->
              assertThat(relativeError(numbers.get(name), values))
                  .as(name)
                  .isLessThan(name.endsWith("gate-bias") ? 5 * limit : limit));
    }
  }

  /** Loss and gradients over a sequence, summed over the ranks. */
  Outcome lossAndGradients(int ranks, int[] sequence, int[] documents) {
    return lossAndGradients(ranks, sequence, documents, UnaryOperator.identity());
  }

  /**
   * Likewise.
   *
   * @param given what each rank takes for its slice
   */
  Outcome lossAndGradients(
      int ranks, int[] sequence, int[] documents, UnaryOperator<SliceInput> given) {
    return lossAndGradients(new Mesh(1, ranks, 1), sequence, documents, given);
  }

  /** Likewise over a mesh of one data rank. */
  Outcome lossAndGradients(Mesh mesh, int[] sequence, int[] documents) {
    return lossAndGradients(mesh, sequence, documents, UnaryOperator.identity());
  }

  private Outcome lossAndGradients(
      Mesh mesh, int[] sequence, int[] documents, UnaryOperator<SliceInput> given) {
    List<Part> parts =
        run(
            mesh,
            sequence.length,
            setup -> {
              LanguageModel model = setup.model();
              randomize(model, weakness);
              SliceInput slice = given.apply(slice(setup, sequence, documents));
              double loss = model.lossAndGradient(slice);
              Map<String, double[]> alike = copies(model.gradients());
              alike.keySet().removeIf(name -> !isAlike(model.shapes().get(name)));
              model.completeGradients();
              return new Part(setup.rank(), loss, alike, wholes(model, model.gradients()));
            });
    double loss = 0;
    Map<String, double[]> total = new LinkedHashMap<>();
    for (Part part : parts) {
      Part first = parts.get(mesh.tensorGroup(part.rank()).get(0));
      assertThat(part.loss()).as("loss of %s", part.rank()).isEqualTo(first.loss());
      first
          .alike()
          .forEach(
              (name, values) ->
                  assertThat(part.alike().get(name))
                      .as("%s of %s", name, part.rank())
                      .containsExactly(values));
      loss += part.rank().tensor() == 0 ? part.loss() : 0;
      part.numbers().forEach((name, values) -> total.merge(name, values, Ranks::sum));
    }
    return new Outcome(loss, total);
  }

  /** Whether each tensor rank finds all of a parameter's gradient, and so the same. */
  private static boolean isAlike(ParameterShape shape) {
    return !shape.split() && shape.gradient() == ParameterShape.GradientPart.WHOLE;
  }

  /**
   * What one rank found.
   *
   * @param alike what the tensor ranks beside it found as well
   * @param numbers its share of whole gradients, which are to be added up
   */
  private record Part(
      Rank rank, double loss, Map<String, double[]> alike, Map<String, double[]> numbers) {}

  private static double[] sum(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
  }

  /** Whole tensors, zero where other tensor ranks have them; each number is at one rank. */
  private static Map<String, double[]> wholes(LanguageModel model, Map<String, Matrix> shares) {
    Map<String, double[]> wholes = new LinkedHashMap<>();
    shares.forEach(
        (name, share) -> {
          ParameterShape shape = model.shapes().get(name);
          int[] rows = shape.rowSide().numbers();
          int[] columns = shape.columnSide().numbers();
          double[] whole = new double[shape.rowSide().whole() * shape.columnSide().whole()];
          boolean here = shape.split() || model.tensor().index() == 0;
          for (int row = 0; here && row < rows.length; row++) {
            for (int column = 0; column < columns.length; column++) {
              whole[rows[row] * shape.columnSide().whole() + columns[column]] =
                  share.get(row, column);
            }
          }
          wholes.put(name, whole);
        });
    return wholes;
  }

  /** What each rank has after three steps of training: the last loss and norm, the parameters. */
  List<Outcome> train(int ranks, int[] sequence, int[] documents) {
    return train(new Mesh(1, ranks, 1), sequence, documents);
  }

  /** Likewise what each sequence rank of a mesh has, its tensor ranks together. */
  List<Outcome> train(Mesh mesh, int[] sequence, int[] documents) {
    List<Outcome> ofRanks =
        run(
            mesh,
            sequence.length,
            setup -> {
              randomize(setup.model(), weakness);
              TrainingStep step = new TrainingStep(setup, configuration.get(Options.TRAIN_CLIP));
              SliceInput slice = slice(setup, sequence, documents);
              TrainingStep.Result result = null;
              for (int iteration = 0; iteration < 3; iteration++) {
                result = step.run(List.of(() -> slice), iteration);
              }
              Map<String, double[]> numbers = wholes(setup.model(), setup.model().parameters());
              // The first one's, as of all that the tensor ranks have in common.
              double norm = setup.rank().tensor() == 0 ? result.gradientNorm() : 0;
              numbers.put("norm of the gradient", new double[] {norm});
              return new Outcome(result.loss(), numbers);
            });
    return slices(mesh, ofRanks);
  }

  /** Tensor ranks together. */
  private static List<Outcome> slices(Mesh mesh, List<Outcome> ofRanks) {
    return IntStream.range(0, mesh.size() / mesh.tensor())
        .mapToObj(place -> ofRanks.subList(place * mesh.tensor(), (place + 1) * mesh.tensor()))
        .map(Ranks::together)
        .toList();
  }

  /**
   * What the ranks of each slice have after one step over {@code sequences}, which data ranks take
   * in turns: the loss, and of each parameter the mean gradient, as Adam's first moment has it.
   *
   * @param weights what is done to the model first
   */
  List<Outcome> step(
      Mesh mesh, List<int[]> sequences, int[] documents, Consumer<LanguageModel> weights) {
    List<Outcome> ofRanks =
        run(
            mesh,
            sequences.stream().mapToInt(sequence -> sequence.length).max().orElseThrow(),
            setup -> {
              weights.accept(setup.model());
              List<Supplier<SliceInput>> own = new ArrayList<>();
              for (int i = setup.rank().data(); i < sequences.size(); i += mesh.data()) {
                int[] sequence = sequences.get(i);
                own.add(() -> slice(setup, sequence, documents));
              }
              double loss = new TrainingStep(setup, 0).run(own, 0).loss();
              return new Outcome(loss, wholes(setup.model(), firstMoments(setup.model())));
            });
    return slices(mesh, ofRanks);
  }

  private static Map<String, Matrix> firstMoments(LanguageModel model) {
    Map<String, Matrix> moments = new LinkedHashMap<>();
    long from = 0;
    for (Map.Entry<String, ParameterShape> entry : model.shapes().entrySet()) {
      ParameterShape shape = entry.getValue();
      Matrix column = model.optimizerState().rows(from, from + shape.size());
      moments.put(entry.getKey(), column.reshape(shape.rows(), shape.columns()));
      from += shape.size();
    }
    return moments;
  }

  private static Outcome together(List<Outcome> tensorRanks) {
    Map<String, double[]> numbers = new LinkedHashMap<>();
    for (Outcome one : tensorRanks) {
      assertThat(one.loss()).isEqualTo(tensorRanks.get(0).loss());
      one.numbers().forEach((name, values) -> numbers.merge(name, values, Ranks::sum));
    }
    return new Outcome(tensorRanks.get(0).loss(), numbers);
  }

  private static Map<String, double[]> copies(Map<String, Matrix> matrices) {
    Map<String, double[]> copies = new LinkedHashMap<>();
    matrices.forEach((name, values) -> copies.put(name, copy(values)));
    return copies;
  }

  /** The same slice with other targets and documents. */
  static SliceInput changed(SliceInput slice, int[] targets, Documents documents) {
    return new SliceInput(slice.tokens(), targets, documents, slice.slices(), place(slice));
  }

  private static int place(SliceInput slice) {
    for (int place = 0; place < slice.slices().size(); place++) {
      if (slice.slices().get(place).start() == slice.firstPosition()
          && slice.slices().get(place).length() == slice.length()) {
        return place;
      }
    }
    throw new IllegalStateException("No slice starts at " + slice.firstPosition());
  }

  /**
   * Larger weights than training starts with, and gains away from one, so that every part matters.
   */
  static void randomize(LanguageModel model) {
    randomize(model, 1);
  }

  /**
   * Likewise.
   *
   * @param weakness by what the logs of gates are divided, nearly: they are log σ(z + bias) / 16
   */
  private static void randomize(LanguageModel model, double weakness) {
    Random random = new Random(5);
    Map<String, Matrix> parameters = model.parameters();
    model
        .shapes()
        .forEach(
            (name, shape) -> {
              double shift = name.endsWith("gate-bias") ? Math.log(weakness) : 0;
              int wholeColumns = shape.columnSide().whole();
              // Of whole parameters, so that a number is the same whichever rank holds it.
              double[] moves = new double[shape.rowSide().whole() * wholeColumns];
              for (int i = 0; i < moves.length; i++) {
                moves[i] = 0.2 * random.nextGaussian();
              }
              Matrix values = parameters.get(name);
              int[] rows = shape.rowSide().numbers();
              int[] columns = shape.columnSide().numbers();
              for (int row = 0; row < rows.length; row++) {
                for (int column = 0; column < columns.length; column++) {
                  double move = moves[rows[row] * wholeColumns + columns[column]];
                  values.put(row, column, values.get(row, column) + move + shift);
                }
              }
            });
  }

  static double[] copy(Matrix values) {
    double[] copy = new double[(int) values.size()];
    int at = 0;
    for (long row = 0; row < values.rows(); row++) {
      for (int column = 0; column < values.columns(); column++) {
        copy[at++] = values.get(row, column);
      }
    }
    return copy;
  }

  /** {@code ‖a − b‖ / ‖b‖}. */
  static double relativeError(double[] a, double[] b) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < b.length; i++) {
      difference += (a[i] - b[i]) * (a[i] - b[i]);
      norm += b[i] * b[i];
    }
    return Math.sqrt(difference / Math.max(norm, 1e-300));
  }

  static RunConfiguration configuration(String... pairs) {
    Map<String, String> overrides = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      overrides.put(pairs[i], pairs[i + 1]);
    }
    return RunConfiguration.parse("data: {path: none}", "test.yaml", overrides);
  }
}
