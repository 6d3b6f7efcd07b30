package org.longspan.executors.conform;

import java.io.IOException;
import java.util.List;
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
    try (CaseFile file = CaseFile.open(input, arena)) {
      return new Reader(file).read(mixer);
    }
  }

  /** Reads and checks one file. */
  private record Reader(CaseFile file) {

    ConformCase read(MixerKind mixer) throws IOException {
      List<Long> keys = file.shape("q", 3);
      List<Long> values = file.shape("v", 3);
      int tokens = Math.toIntExact(keys.get(0));
      int heads = Math.toIntExact(keys.get(1));
      int keyWidth = Math.toIntExact(keys.get(2));
      int valueWidth = Math.toIntExact(values.get(2));
      if (heads < 1 || keyWidth < 1 || valueWidth < 1) {
        throw file.wrong(
            "q has the shape " + keys + " and v " + values + "; heads and widths are at least 1");
      }
      List<Long> expectedValues = List.of((long) tokens, (long) heads, (long) valueWidth);
      require("k", keys);
      require("v", expectedValues);
      require("do", expectedValues);
      boolean stateful = mixer != MixerKind.LOCAL && file.contains("initial_state");
      if (mixer == MixerKind.LOCAL && file.contains("initial_state")) {
        throw file.wrong("it has an initial_state, and the local mixer has no state");
      }
      if (stateful) {
        require("initial_state", List.of((long) heads, (long) keyWidth, (long) valueWidth));
      }
      return new ConformCase(
          new AttentionShape(heads, keyWidth, valueWidth),
          tokens,
          new LinearTensors(
              file.matrix("q", tokens, heads * keyWidth),
              file.matrix("k", tokens, heads * keyWidth),
              file.matrix("v", tokens, heads * valueWidth),
              gates(mixer, tokens, heads, keyWidth),
              beta(mixer, tokens, heads)),
          file.matrix("do", tokens, heads * valueWidth),
          stateful ? file.matrix("initial_state", heads * keyWidth, valueWidth) : null,
          file.documents(tokens),
          mixer == MixerKind.LIGHTNING ? slopes(heads) : List.of(),
          mixer == MixerKind.LOCAL ? window() : 0);
    }

    private void require(String tensor, List<Long> expected) {
      file.require(tensor, expected, "beside q and v");
    }

    private Matrix gates(MixerKind mixer, int tokens, int heads, int keyWidth) throws IOException {
      int columns =
          switch (mixer) {
            case LIGHTNING, LOCAL, LATENT -> 0;
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
      Matrix gates = file.matrix("g", tokens, columns);
      for (int token = 0; token < tokens; token++) {
        for (int column = 0; column < columns; column++) {
          double gate = gates.get(token, column);
          if (!(gate <= 0) || Double.isInfinite(gate)) {
            throw file.wrong(
                "g holds " + gate + " at token " + token + "; log gates are 0 or less");
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
      return file.matrix("beta", tokens, heads);
    }

    private List<Double> slopes(int heads) throws IOException {
      require("slopes", List.of((long) heads));
      Matrix slopes = file.matrix("slopes", 1, heads);
      List<Double> values = new java.util.ArrayList<>();
      for (int head = 0; head < heads; head++) {
        double slope = slopes.get(0, head);
        if (!(slope >= 0)) {
          throw file.wrong("slope " + head + " is " + slope + "; slopes are at least 0");
        }
        values.add(slope);
      }
      return values;
    }

    private int window() {
      String text = file.file().metadata().get("window");
      if (text == null) {
        throw file.wrong("its metadata has no window; local takes one of 1 token or more");
      }
      try {
        int window = Integer.parseInt(text.strip());
        if (window >= 1) {
          return window;
        }
      } catch (NumberFormatException e) {
        throw file.wrong(
            "its metadata window is " + text + "; it takes a whole number of tokens, 1 or more");
      }
      throw file.wrong("its metadata window is " + text + "; it takes 1 or more");
    }
  }
}
