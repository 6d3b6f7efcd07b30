package org.longspan.executors.conform;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * The tensors of a case, checked against each other.
 *
 * @param inputs gates and beta where the mixer has them
 * @param outputGradient {@code [tokens, heads · valueWidth]}
 * @param initialState {@code [heads · keyWidth, valueWidth]}, or null
 * @param documents ascending start offsets, the first 0
 * @param slopes one for each head, for lightning
 * @param window for local
 */
record ConformCase(
    AttentionShape shape,
    int tokens,
    LinearTensors inputs,
    Matrix outputGradient,
    Matrix initialState,
    List<Integer> documents,
    List<Double> slopes,
    int window) {

  /** The gates as they came: {@code [tokens, heads, keyWidth]} or {@code [tokens, heads]}. */
  List<Long> gateShape() {
    long columns = inputs.gates().columns() / shape.heads();
    return columns == 1
        ? List.of((long) tokens, (long) shape.heads())
        : List.of((long) tokens, (long) shape.heads(), columns);
  }

  static ConformCase read(java.nio.file.Path input, MixerKind mixer, Arena arena)
      throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(new Configuration(), new Path(input.toUri()))) {
      return new Reader(input, file, arena).read(mixer);
    }
  }

  /** Reads and checks one file. */
  private record Reader(java.nio.file.Path input, SafetensorsFile file, Arena arena) {

    ConformCase read(MixerKind mixer) throws IOException {
      List<Long> keys = shape("q", 3);
      List<Long> values = shape("v", 3);
      int tokens = Math.toIntExact(keys.get(0));
      int heads = Math.toIntExact(keys.get(1));
      int keyWidth = Math.toIntExact(keys.get(2));
      int valueWidth = Math.toIntExact(values.get(2));
      if (heads < 1 || keyWidth < 1 || valueWidth < 1) {
        throw wrong(
            "q has the shape " + keys + " and v " + values + "; heads and widths are at least 1");
      }
      List<Long> expectedValues = List.of((long) tokens, (long) heads, (long) valueWidth);
      require("k", keys);
      require("v", expectedValues);
      require("do", expectedValues);
      boolean stateful = mixer != MixerKind.LOCAL && file.contains("initial_state");
      if (mixer == MixerKind.LOCAL && file.contains("initial_state")) {
        throw wrong("it has an initial_state, and the local mixer has no state");
      }
      if (stateful) {
        require("initial_state", List.of((long) heads, (long) keyWidth, (long) valueWidth));
      }
      return new ConformCase(
          new AttentionShape(heads, keyWidth, valueWidth),
          tokens,
          new LinearTensors(
              matrix("q", tokens, heads * keyWidth),
              matrix("k", tokens, heads * keyWidth),
              matrix("v", tokens, heads * valueWidth),
              gates(mixer, tokens, heads, keyWidth),
              beta(mixer, tokens, heads)),
          matrix("do", tokens, heads * valueWidth),
          stateful ? matrix("initial_state", heads * keyWidth, valueWidth) : null,
          documents(tokens),
          mixer == MixerKind.LIGHTNING ? slopes(heads) : List.of(),
          mixer == MixerKind.LOCAL ? window() : 0);
    }

    private List<Long> shape(String tensor, int sides) {
      List<Long> shape = file.shape(tensor);
      if (shape.size() != sides) {
        throw wrong(
            "tensor " + tensor + " has the shape " + shape + "; it takes " + sides + " sides");
      }
      return shape;
    }

    private void require(String tensor, List<Long> expected) {
      if (!file.shape(tensor).equals(expected)) {
        throw wrong(
            "tensor "
                + tensor
                + " has the shape "
                + file.shape(tensor)
                + "; beside q and v it takes "
                + expected);
      }
    }

    private Matrix gates(MixerKind mixer, int tokens, int heads, int keyWidth) throws IOException {
      int columns =
          switch (mixer) {
            case LIGHTNING, LOCAL -> 0;
            case SIMPLE_GLA, GATED_DELTA -> heads;
            case GLA -> heads * keyWidth;
          };
      if (columns == 0) {
        return null;
      }
      require(
          "g",
          mixer == MixerKind.GLA
              ? List.of((long) tokens, (long) heads, (long) keyWidth)
              : List.of((long) tokens, (long) heads));
      Matrix gates = matrix("g", tokens, columns);
      for (int token = 0; token < tokens; token++) {
        for (int column = 0; column < columns; column++) {
          double gate = gates.get(token, column);
          if (!(gate <= 0) || Double.isInfinite(gate)) {
            throw wrong("g holds " + gate + " at token " + token + "; log gates are 0 or less");
          }
        }
      }
      return gates;
    }

    private Matrix beta(MixerKind mixer, int tokens, int heads) throws IOException {
      if (mixer != MixerKind.GATED_DELTA) {
        return null;
      }
      require("beta", List.of((long) tokens, (long) heads));
      return matrix("beta", tokens, heads);
    }

    private Matrix matrix(String tensor, int rows, int columns) throws IOException {
      Matrix matrix = arena.matrix(rows, columns);
      file.read(tensor, matrix);
      return matrix;
    }

    private List<Integer> documents(int tokens) throws IOException {
      if (!file.contains("documents")) {
        return tokens == 0 ? List.of() : List.of(0);
      }
      long[] starts = file.readIntegers("documents");
      for (int i = 0; i < starts.length; i++) {
        boolean ascending = i == 0 ? starts[0] == 0 : starts[i] > starts[i - 1];
        if (!ascending || starts[i] >= tokens) {
          throw wrong(
              "documents "
                  + Arrays.toString(starts)
                  + " are to start with 0 and ascend below "
                  + tokens
                  + " tokens");
        }
      }
      if (starts.length == 0 && tokens > 0) {
        throw wrong("documents is empty; it takes at least the offset 0");
      }
      return Arrays.stream(starts).mapToObj(start -> (int) start).toList();
    }

    private List<Double> slopes(int heads) throws IOException {
      require("slopes", List.of((long) heads));
      Matrix slopes = matrix("slopes", 1, heads);
      List<Double> values = new java.util.ArrayList<>();
      for (int head = 0; head < heads; head++) {
        double slope = slopes.get(0, head);
        if (!(slope >= 0)) {
          throw wrong("slope " + head + " is " + slope + "; slopes are at least 0");
        }
        values.add(slope);
      }
      return values;
    }

    private int window() {
      String text = file.metadata().get("window");
      try {
        int window = Integer.parseInt(text == null ? "" : text.strip());
        if (window >= 1) {
          return window;
        }
      } catch (NumberFormatException e) {
        throw wrong(
            "its metadata window is " + text + "; it takes a whole number of tokens, 1 or more");
      }
      throw wrong("its metadata window is " + text + "; it takes 1 or more");
    }

    private InvalidInputException wrong(String what) {
      return new InvalidInputException("File " + input + ": " + what + ".");
    }
  }
}
