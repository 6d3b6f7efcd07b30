package org.longspan.executors.conform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.NamedTensor;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.checkpoint.SafetensorsWriter;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;

/**
 * What comes out against the plain recurrence, and its gradients against central differences of
 * that recurrence.
 */
class ConformTest {
  private static final int HEADS = 2;
  private static final int KEY = 3;
  private static final int VALUE = 5;
  private static final double[] SLOPES = {0.05, 0.002};

  @TempDir private Path folder;

  /** A case in plain arrays. */
  private static final class Case {
    private final int tokens;
    private final int[] documents;
    private final double[][] q;
    private final double[][] k;
    private final double[][] v;
    private final double[][] gradient;
    private final double[][] initial;
    private final double[][] gates;
    private final double[][] betas;

    Case(int tokens, int[] documents) {
      this(tokens, documents, HEADS);
    }

    Case(int tokens, int[] documents, int gatesOfAToken) {
      Random random = new Random(tokens);
      this.tokens = tokens;
      this.documents = documents;
      this.q = values(random, tokens, HEADS * KEY);
      this.k = values(random, tokens, HEADS * KEY);
      this.v = values(random, tokens, HEADS * VALUE);
      this.gradient = values(random, tokens, HEADS * VALUE);
      this.initial = values(random, HEADS * KEY, VALUE);
      this.gates = values(random, tokens, gatesOfAToken);
      this.betas = values(random, tokens, HEADS);
      for (int token = 0; token < tokens; token++) {
        for (int gate = 0; gate < gatesOfAToken; gate++) {
          gates[token][gate] = -Math.abs(gates[token][gate]) / 16;
        }
        for (int head = 0; head < HEADS; head++) {
          betas[token][head] = 1 / (1 + Math.exp(betas[token][head]));
        }
      }
    }

    private static double[][] values(Random random, int rows, int columns) {
      double[][] values = new double[rows][columns];
      for (double[] row : values) {
        java.util.Arrays.setAll(row, column -> random.nextGaussian());
      }
      return values;
    }

    /** The delta rule's keys have norm 1. */
    void normalizeKeys() {
      for (double[] row : k) {
        for (int head = 0; head < HEADS; head++) {
          double squares = 0;
          for (int i = head * KEY; i < (head + 1) * KEY; i++) {
            squares += row[i] * row[i];
          }
          for (int i = head * KEY; i < (head + 1) * KEY; i++) {
            row[i] /= Math.sqrt(squares);
          }
        }
      }
    }

    private boolean starts(int token) {
      return java.util.Arrays.binarySearch(documents, token) >= 0;
    }

    /**
     * {@code Σ gradient · o} of the recurrence {@code S = a·S + k·vᵀ}, of the delta rule {@code S =
     * a·(S − β·k·(kᵀ·S)) + β·k·vᵀ}; fills {@code o} and {@code last}.
     */
    double linear(MixerKind mixer, double[][] o, double[][] last) {
      double[][] state = new double[HEADS * KEY][];
      for (int row = 0; row < state.length; row++) {
        state[row] = initial[row].clone();
      }
      double sum = 0;
      for (int t = 0; t < tokens; t++) {
        for (int head = 0; head < HEADS; head++) {
          double beta = mixer == MixerKind.GATED_DELTA ? betas[t][head] : 1;
          for (int j = 0; j < VALUE; j++) {
            double known = 0;
            for (int i = 0; i < KEY; i++) {
              int row = head * KEY + i;
              double log = logOfDecay(mixer, t, head, row);
              state[row][j] *= t > 0 && starts(t) ? 0 : Math.exp(log);
              known += k[t][row] * state[row][j];
            }
            double written = v[t][head * VALUE + j];
            written -= mixer == MixerKind.GATED_DELTA ? known : 0;
            double out = 0;
            for (int i = 0; i < KEY; i++) {
              int row = head * KEY + i;
              state[row][j] += beta * k[t][row] * written;
              out += q[t][row] * state[row][j];
            }
            o[t][head * VALUE + j] = out;
            sum += gradient[t][head * VALUE + j] * out;
          }
        }
      }
      System.arraycopy(state, 0, last, 0, state.length);
      return sum;
    }

    private double logOfDecay(MixerKind mixer, int token, int head, int row) {
      return switch (mixer) {
        case LIGHTNING -> -SLOPES[head];
        case GLA -> gates[token][row];
        default -> gates[token][head];
      };
    }

    /** Likewise, of softmax over a window. */
    double local(double[][] o, int window) {
      double sum = 0;
      int document = 0;
      for (int t = 0; t < tokens; t++) {
        document = starts(t) ? t : document;
        int from = Math.max(document, t - window + 1);
        for (int head = 0; head < HEADS; head++) {
          double[] weights = new double[t - from + 1];
          double total = 0;
          for (int s = from; s <= t; s++) {
            double score = 0;
            for (int i = 0; i < KEY; i++) {
              score += q[t][head * KEY + i] * k[s][head * KEY + i];
            }
            weights[s - from] = Math.exp(score);
            total += weights[s - from];
          }
          for (int j = 0; j < VALUE; j++) {
            double out = 0;
            for (int s = from; s <= t; s++) {
              out += weights[s - from] / total * v[s][head * VALUE + j];
            }
            o[t][head * VALUE + j] = out;
            sum += gradient[t][head * VALUE + j] * out;
          }
        }
      }
      return sum;
    }
  }

  private interface Loss {
    double get();
  }

  private static double[][] differences(double[][] values, Loss loss) {
    double step = 1e-6;
    double[][] gradient = new double[values.length][values[0].length];
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < values[0].length; column++) {
        double before = values[row][column];
        values[row][column] = before + step;
        double up = loss.get();
        values[row][column] = before - step;
        double down = loss.get();
        values[row][column] = before;
        gradient[row][column] = (up - down) / (2 * step);
      }
    }
    return gradient;
  }

  private Path write(Case given, boolean stateful, Map<String, String> metadata)
      throws IOException {
    Path input = folder.resolve("case.safetensors");
    try (Arena arena = new Arena("test", Precision.DOUBLE);
        OutputStream out = Files.newOutputStream(input)) {
      List<NamedTensor> tensors = new ArrayList<>();
      long tokens = given.tokens;
      tensors.add(tensor(arena, "q", given.q, List.of(tokens, (long) HEADS, (long) KEY)));
      tensors.add(tensor(arena, "k", given.k, List.of(tokens, (long) HEADS, (long) KEY)));
      tensors.add(tensor(arena, "v", given.v, List.of(tokens, (long) HEADS, (long) VALUE)));
      tensors.add(tensor(arena, "do", given.gradient, List.of(tokens, (long) HEADS, (long) VALUE)));
      boolean oneForAHead = given.gates[0].length == HEADS;
      tensors.add(
          tensor(
              arena,
              "g",
              given.gates,
              oneForAHead
                  ? List.of(tokens, (long) HEADS)
                  : List.of(tokens, (long) HEADS, (long) KEY)));
      tensors.add(tensor(arena, "beta", given.betas, List.of(tokens, (long) HEADS)));
      tensors.add(tensor(arena, "slopes", new double[][] {SLOPES}, List.of((long) HEADS)));
      if (stateful) {
        tensors.add(
            tensor(
                arena,
                "initial_state",
                given.initial,
                List.of((long) HEADS, (long) KEY, (long) VALUE)));
      }
      SafetensorsWriter.write(out, tensors, metadata);
    }
    if (given.documents.length > 1) {
      DocumentsTensor.add(input, given.documents);
    }
    return input;
  }

  private static NamedTensor tensor(Arena arena, String name, double[][] values, List<Long> shape) {
    Matrix matrix = arena.matrix(values.length, values[0].length);
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < values[0].length; column++) {
        matrix.put(row, column, values[row][column]);
      }
    }
    return new NamedTensor(name, shape, matrix);
  }

  private void check(Path output, String name, double[][] expected, double limit)
      throws IOException {
    try (Arena arena = new Arena("test", Precision.DOUBLE);
        SafetensorsFile file =
            SafetensorsFile.open(
                new Configuration(), new org.apache.hadoop.fs.Path(output.toUri()))) {
      Matrix found = arena.matrix(expected.length, expected[0].length);
      file.read(name, found);
      double difference = 0;
      double norm = 0;
      for (int row = 0; row < expected.length; row++) {
        for (int column = 0; column < expected[0].length; column++) {
          difference += Math.pow(found.get(row, column) - expected[row][column], 2);
          norm += Math.pow(expected[row][column], 2);
        }
      }
      // A gradient that is zero, as that of a window of one token by its query, has no relative
      // error.
      assertThat(Math.sqrt(difference / Math.max(norm, 1e-6))).as(name).isLessThan(limit);
    }
  }

  private Path run(
      MixerKind mixer, int ranks, Precision precision, TransportKind transport, Path input)
      throws IOException {
    Path output = folder.resolve("result.safetensors");
    Conform.run(
        new ConformOptions(
            mixer,
            ranks,
            16,
            KernelChoice.CPU,
            precision,
            transport,
            ScanChoice.CHAIN,
            input,
            output));
    return output;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 40, 0, LOCAL",
    "2, 40, 0, LOCAL",
    "4, 71, 0 20 21 64, LOCAL",
    "7, 50, 0, LOCAL",
    "3, 71, 0 16, NETWORK"
  })
  void shouldAgreeWithTheRecurrence(
      int ranks, int tokens, String documents, TransportKind transport) throws IOException {
    Case given = new Case(tokens, starts(documents));
    double[][] o = new double[tokens][HEADS * VALUE];
    double[][] last = new double[HEADS * KEY][];
    given.linear(MixerKind.LIGHTNING, o, last);
    Path output =
        run(MixerKind.LIGHTNING, ranks, Precision.DOUBLE, transport, write(given, true, Map.of()));
    check(output, "o", o, 1e-12);
    check(output, "final_state", last, 1e-12);
    double[][] scratch = new double[tokens][HEADS * VALUE];
    Loss loss = () -> given.linear(MixerKind.LIGHTNING, scratch, last);
    check(output, "dq", differences(given.q, loss), 1e-6);
    check(output, "dk", differences(given.k, loss), 1e-6);
    check(output, "dv", differences(given.v, loss), 1e-6);
    check(output, "d_initial_state", differences(given.initial, loss), 1e-6);
  }

  @ParameterizedTest
  @CsvSource({
    "SIMPLE_GLA, 1, 40, 0",
    "SIMPLE_GLA, 4, 71, 0 20 21 64",
    "GLA, 1, 40, 0",
    "GLA, 4, 71, 0 20 21 64",
    "GATED_DELTA, 1, 40, 0",
    "GATED_DELTA, 4, 71, 0 20 21 64"
  })
  void shouldAgreeWithTheRecurrenceOfARuleWithGates(
      MixerKind mixer, int ranks, int tokens, String documents) throws IOException {
    boolean isDelta = mixer == MixerKind.GATED_DELTA;
    int gates = mixer == MixerKind.GLA ? HEADS * KEY : HEADS;
    Case given = new Case(tokens, starts(documents), gates);
    if (isDelta) {
      given.normalizeKeys();
    }
    double[][] o = new double[tokens][HEADS * VALUE];
    double[][] last = new double[HEADS * KEY][];
    given.linear(mixer, o, last);
    Path output =
        run(mixer, ranks, Precision.DOUBLE, TransportKind.LOCAL, write(given, true, Map.of()));
    check(output, "o", o, 1e-12);
    check(output, "final_state", last, 1e-12);
    double[][] scratch = new double[tokens][HEADS * VALUE];
    Loss loss = () -> given.linear(mixer, scratch, last);
    check(output, "dq", differences(given.q, loss), 1e-6);
    check(output, "dk", differences(given.k, loss), 1e-6);
    check(output, "dv", differences(given.v, loss), 1e-6);
    check(output, "dg", differences(given.gates, loss), 1e-6);
    check(output, "d_initial_state", differences(given.initial, loss), 1e-6);
    assertThat(shape(output, "dg"))
        .isEqualTo(
            mixer == MixerKind.GLA
                ? List.of((long) tokens, (long) HEADS, (long) KEY)
                : List.of((long) tokens, (long) HEADS));
    if (isDelta) {
      check(output, "dbeta", differences(given.betas, loss), 1e-6);
      assertThat(shape(output, "dbeta")).isEqualTo(List.of((long) tokens, (long) HEADS));
    }
  }

  private static List<Long> shape(Path output, String name) throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(new Configuration(), new org.apache.hadoop.fs.Path(output.toUri()))) {
      return file.shape(name);
    }
  }

  private static int[] starts(String documents) {
    return java.util.Arrays.stream(documents.split(" ")).mapToInt(Integer::parseInt).toArray();
  }

  @ParameterizedTest
  @CsvSource({"1, 40, 0, 7", "4, 71, 0 20 21 64, 40", "7, 50, 0, 1", "3, 30, 0, 100"})
  void shouldAgreeWithSoftmaxOverAWindow(int ranks, int tokens, String documents, int window)
      throws IOException {
    Case given = new Case(tokens, starts(documents));
    double[][] o = new double[tokens][HEADS * VALUE];
    given.local(o, window);
    Path output =
        run(
            MixerKind.LOCAL,
            ranks,
            Precision.DOUBLE,
            TransportKind.LOCAL,
            write(given, false, Map.of("window", Integer.toString(window))));
    check(output, "o", o, 1e-12);
    double[][] scratch = new double[tokens][HEADS * VALUE];
    Loss loss = () -> given.local(scratch, window);
    check(output, "dq", differences(given.q, loss), 1e-6);
    check(output, "dk", differences(given.k, loss), 1e-6);
    check(output, "dv", differences(given.v, loss), 1e-6);
  }

  @Test
  void shouldRunOnOpenClOnSeveralRanksOfOneProcess() throws IOException {
    assumeOpenCl();
    Case given = new Case(200, new int[] {0, 90});
    double[][] o = new double[200][HEADS * VALUE];
    double[][] last = new double[HEADS * KEY][];
    given.linear(MixerKind.LIGHTNING, o, last);
    Path output = folder.resolve("result.safetensors");
    Conform.run(
        new ConformOptions(
            MixerKind.LIGHTNING,
            3,
            16,
            KernelChoice.APARAPI,
            Precision.FLOAT,
            TransportKind.LOCAL,
            ScanChoice.CHAIN,
            write(given, true, Map.of()),
            output));
    check(output, "o", o, 1e-5);
    check(output, "final_state", last, 1e-5);
    double[][] scratch = new double[200][HEADS * VALUE];
    check(
        output,
        "dk",
        differences(given.k, () -> given.linear(MixerKind.LIGHTNING, scratch, last)),
        1e-5);
  }

  @Test
  void shouldRunTheDeltaRuleOnOpenClAsOnTheProcessor() throws IOException {
    assumeOpenCl();
    Case given = new Case(200, new int[] {0, 90});
    given.normalizeKeys();
    Path input = write(given, true, Map.of());
    Path exact = run(MixerKind.GATED_DELTA, 1, Precision.DOUBLE, TransportKind.LOCAL, input);
    Map<String, double[][]> expected = read(exact);
    assertThat(expected)
        .containsOnlyKeys("o", "dq", "dk", "dv", "dg", "dbeta", "final_state", "d_initial_state");
    Path output = folder.resolve("device.safetensors");
    Conform.run(
        new ConformOptions(
            MixerKind.GATED_DELTA,
            3,
            16,
            KernelChoice.APARAPI,
            Precision.FLOAT,
            TransportKind.LOCAL,
            ScanChoice.CHAIN,
            input,
            output));
    for (Map.Entry<String, double[][]> tensor : expected.entrySet()) {
      check(output, tensor.getKey(), tensor.getValue(), 1e-5);
    }
  }

  private static Map<String, double[][]> read(Path path) throws IOException {
    Map<String, double[][]> tensors = new HashMap<>();
    try (Arena arena = new Arena("test", Precision.DOUBLE);
        SafetensorsFile file =
            SafetensorsFile.open(
                new Configuration(), new org.apache.hadoop.fs.Path(path.toUri()))) {
      for (String name : file.names()) {
        List<Long> shape = file.shape(name);
        long numbers = shape.stream().reduce(1L, Math::multiplyExact);
        int rows = Math.toIntExact(shape.size() == 3 ? shape.get(0) * shape.get(1) : shape.get(0));
        Matrix matrix = arena.matrix(rows, (int) (numbers / rows));
        file.read(name, matrix);
        double[][] values = new double[rows][matrix.columns()];
        for (int row = 0; row < rows; row++) {
          for (int column = 0; column < matrix.columns(); column++) {
            values[row][column] = matrix.get(row, column);
          }
        }
        tensors.put(name, values);
      }
    }
    return tensors;
  }

  private static void assumeOpenCl() {
    try (Workers workers = new Workers(1)) {
      Kernels.linear(
              KernelChoice.APARAPI,
              Precision.FLOAT,
              new AttentionShape(1, 1, 1),
              new double[] {0},
              1,
              workers)
          .close();
    } catch (InvalidInputException noDevice) {
      assumeTrue(false, "Skipped: " + noDevice.getMessage());
    }
  }

  @Test
  void shouldReadOtherPrecisions() throws IOException {
    Case given = new Case(40, new int[] {0});
    java.util.Arrays.stream(given.initial).forEach(row -> java.util.Arrays.fill(row, 0));
    double[][] o = new double[40][HEADS * VALUE];
    given.linear(MixerKind.LIGHTNING, o, new double[HEADS * KEY][]);
    Path output =
        run(
            MixerKind.LIGHTNING,
            3,
            Precision.FLOAT,
            TransportKind.LOCAL,
            write(given, false, Map.of()));
    check(output, "o", o, 1e-6);
    try (SafetensorsFile file =
        SafetensorsFile.open(new Configuration(), new org.apache.hadoop.fs.Path(output.toUri()))) {
      assertThat(file.names()).containsExactly("o", "dq", "dk", "dv", "final_state");
    }
  }

  @Test
  void shouldSayWhatIsWrongWithACase() throws IOException {
    Path input = write(new Case(10, new int[] {0}), false, Map.of("window", "none"));
    assertThatThrownBy(() -> run(MixerKind.LOCAL, 1, Precision.DOUBLE, TransportKind.LOCAL, input))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("window is none");
    assertThatThrownBy(
            () ->
                run(
                    MixerKind.LIGHTNING,
                    1,
                    Precision.DOUBLE,
                    TransportKind.LOCAL,
                    folder.resolve("missing.safetensors")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("There is no file");
    byte[] bytes = Files.readAllBytes(input);
    Files.write(input, java.util.Arrays.copyOf(bytes, bytes.length - 5));
    assertThatThrownBy(
            () -> run(MixerKind.LIGHTNING, 1, Precision.DOUBLE, TransportKind.LOCAL, input))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("may be cut off");
  }
}
