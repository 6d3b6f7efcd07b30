package org.longspan.executors.conform;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.conform.ConformOptions.LatentChoices;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * The tensors of a case of latent attention, checked against each other.
 *
 * @param x {@code [tokens, width]}
 * @param outputGradient {@code [tokens, width]}
 * @param documents ascending start offsets, the first 0
 * @param weights whole
 */
record LatentInput(
    LatentShape shape,
    Matrix x,
    Matrix outputGradient,
    List<Integer> documents,
    LatentWeights weights) {

  int tokens() {
    return Math.toIntExact(x.rows());
  }

  static LatentInput read(ConformOptions options, Arena arena) throws IOException {
    try (CaseFile file = CaseFile.open(options.input(), arena)) {
      return new Reader(file, options.latent(), arena).read();
    }
  }

  /** Reads and checks one file. */
  private record Reader(CaseFile file, LatentChoices choices, Arena arena) {
    LatentInput read() throws IOException {
      List<Long> input = file.shape("x", 2);
      int tokens = Math.toIntExact(input.get(0));
      LatentShape shape = shape(size(input, 1));
      require(shape);
      file.require("du", input, "beside x");
      LatentWeights weights = LatentWeights.whole(shape, arena);
      for (var weight : weights.named().entrySet()) {
        file.file().read(weight.getKey(), weight.getValue());
      }
      readEstimates(weights);
      return new LatentInput(
          shape,
          file.matrix("x", tokens, shape.width()),
          file.matrix("du", tokens, shape.width()),
          file.documents(tokens),
          weights);
    }

    private static int size(List<Long> shape, int side) {
      return Math.toIntExact(shape.get(side));
    }

    private LatentShape shape(int width) {
      List<Long> queries = file.shape("wuq", 3);
      List<Long> latent = file.shape("wdkv", 2);
      int heads = size(queries, 1);
      int nope = size(queries, 2);
      int rope = size(file.shape("wqr", 3), 2);
      int value = size(file.shape("wuv", 3), 2);
      int rank = size(latent, 1);
      if (width < 1 || heads < 1 || nope < 1 || value < 1 || rank < 1) {
        throw file.wrong(
            "wuq has the shape " + queries + " and wdkv " + latent + "; sizes are at least 1");
      }
      if (rope < 2 || rope % 2 != 0) {
        throw file.wrong(
            "wqr has " + rope + " columns a head; rotary positions turn pairs, so 2, 4 or more do");
      }
      int groups = groups();
      if (rank % groups != 0) {
        throw file.wrong(
            "wdkv has " + rank + " columns, which are no multiple of the groups, " + groups);
      }
      return new LatentShape(
          width,
          heads,
          queryRank(),
          rank,
          nope,
          rope,
          value,
          choices.form(),
          norm(),
          groups,
          number("rope_theta"),
          number("epsilon"));
    }

    private int queryRank() {
      if (file.contains("wdq") != file.contains("gamma_q")) {
        throw file.wrong("it has one of wdq and gamma_q; it takes both or neither");
      }
      return file.contains("wdq") ? size(file.shape("wdq", 2), 1) : 0;
    }

    private int groups() {
      return switch (choices.form()) {
        case MLA -> 1;
        case MLRA -> choices.groups();
        case TPLA -> {
          int groups = size(file.shape("mu", 1), 0);
          if (groups < 1 || (choices.groups() > 0 && choices.groups() != groups)) {
            throw file.wrong(
                "mu has "
                    + groups
                    + " numbers, one for each group, and --groups is "
                    + choices.groups());
          }
          yield groups;
        }
      };
    }

    private LatentNorm norm() {
      return switch (choices.form()) {
        case MLA, TPLA -> choices.norm() == null ? LatentNorm.EXACT : choices.norm();
        case MLRA -> LatentNorm.LOCAL;
      };
    }

    private double number(String key) {
      String text = file.file().metadata().get(key);
      try {
        double number = Double.parseDouble(text == null ? "" : text.strip());
        if (number > 0 && !Double.isInfinite(number)) {
          return number;
        }
      } catch (NumberFormatException notANumber) {
        throw file.wrong("its metadata " + key + " is " + text + "; it takes a number above 0");
      }
      throw file.wrong("its metadata " + key + " is " + text + "; it takes a number above 0");
    }

    /** Refuses weights that do not go together. */
    private void require(LatentShape shape) {
      shapes(shape)
          .forEach(
              (name, expected) -> file.require(name, expected, "beside x, wuq, wqr, wdkv and wuv"));
    }

    private void readEstimates(LatentWeights weights) throws IOException {
      if (weights.estimates() == null) {
        return;
      }
      file.require("alpha", List.of((long) weights.estimates().columns()), "beside mu");
      file.file().read("alpha", weights.estimates());
      for (int group = 0; group < weights.estimates().columns(); group++) {
        double estimate = weights.estimates().get(0, group);
        if (!(estimate > 0) || Double.isInfinite(estimate)) {
          throw file.wrong("alpha " + group + " is " + estimate + "; it takes a number above 0");
        }
      }
    }
  }

  /** The shape of each weight in a file. */
  static Map<String, List<Long>> shapes(LatentShape shape) {
    long input = shape.queryInput();
    long heads = shape.heads();
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    if (shape.queryRank() > 0) {
      shapes.put("wdq", List.of((long) shape.width(), input));
      shapes.put("gamma_q", List.of(input));
    }
    shapes.put("wuq", List.of(input, heads, (long) shape.nope()));
    shapes.put("wqr", List.of(input, heads, (long) shape.rope()));
    shapes.put("wdkv", List.of((long) shape.width(), (long) shape.rank()));
    shapes.put("gamma", List.of((long) shape.rank()));
    shapes.put("wkr", List.of((long) shape.width(), (long) shape.rope()));
    shapes.put("wuk", List.of((long) shape.rank(), heads, (long) shape.nope()));
    shapes.put("wuv", List.of((long) shape.rank(), heads, (long) shape.value()));
    shapes.put("wo", List.of(heads, (long) shape.value(), (long) shape.width()));
    if (shape.form() == LatentForm.TPLA) {
      shapes.put("mu", List.of((long) shape.groups()));
    }
    return shapes;
  }
}
