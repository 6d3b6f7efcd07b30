package org.longspan.executors.convert;

import java.util.List;
import java.util.Map;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gives a TPLA model the parameters of an MLA model (arXiv 2508.15881): {@code WDKV' = WDKV U},
 * {@code [WUK|WUV]' = Uᵀ diag(γ)[WUK|WUV]}, γ' = 1, which changes nothing; then {@code α_s = 1 /}
 * group s's share of the latent's squares, where norms are local, and μ as {@link
 * LayerStatistics#contentScales} says. With more than one group the result is an approximation.
 *
 * @param kind of the transform U
 * @param seed of a Hadamard transform's signs
 */
public record LatentConversion(TransformKind kind, long seed) {
  /** Refuses a model that is not MLA, or a transform that does not go with its latent. */
  public void check(LatentShape shape) {
    if (shape == null || shape.form() != LatentForm.MLA) {
      throw new InvalidInputException(
          "Only a model with latent mixers of form mla can be converted; this one has none.");
    }
    switch (kind) {
      case HADAMARD -> LatentTransform.hadamard(shape.rank(), seed);
      case PCA -> {}
    }
  }

  /**
   * Writes the parameters of {@code to}, whose norms, groups and rank its shape has.
   *
   * @param from every parameter of the MLA model by its name
   * @param statistics of its latent layers, in their order
   */
  public void apply(Map<String, Matrix> from, List<LayerStatistics> statistics, LanguageModel to) {
    LatentShape shape = to.shape().latent();
    Map<String, Matrix> target = to.parameters();
    from.forEach((name, values) -> target.get(name).set(values));
    int place = 0;
    for (String name : from.keySet()) {
      if (name.endsWith(".mixer.latent-down")) {
        String mixer = name.substring(0, name.length() - "latent-down".length());
        convert(mixer, from, statistics.get(place++), target, shape);
      }
    }
  }

  private void convert(
      String mixer,
      Map<String, Matrix> from,
      LayerStatistics statistics,
      Map<String, Matrix> to,
      LatentShape shape) {
    LatentTransform transform =
        switch (kind) {
          case HADAMARD -> LatentTransform.hadamard(shape.rank(), seed);
          case PCA -> LatentTransform.principalComponents(statistics.latents());
        };
    INDArray basis = transform.basis();
    DoubleArrays.write(
        DoubleArrays.of(from.get(mixer + "latent-down")).mmul(basis),
        to.get(mixer + "latent-down"));
    INDArray gained =
        basis.transpose().mulRowVector(DoubleArrays.of(from.get(mixer + "latent-norm")));
    for (String up : List.of("key-up", "value-up")) {
      DoubleArrays.write(gained.mmul(DoubleArrays.of(from.get(mixer + up))), to.get(mixer + up));
    }
    Matrix gains = to.get(mixer + "latent-norm");
    for (int column = 0; column < gains.columns(); column++) {
      gains.put(0, column, 1);
    }
    double[] scales = statistics.contentScales(transform, shape.groups());
    for (int group = 0; group < shape.groups(); group++) {
      to.get(mixer + "content-scale").put(0, group, scales[group]);
    }
    if (shape.estimatesNorms()) {
      estimate(
          statistics.latents().shares(transform, shape.groups()), to.get(mixer + "norm-estimates"));
    }
  }

  private static void estimate(double[] shares, Matrix estimates) {
    for (int group = 0; group < shares.length; group++) {
      if (!(shares[group] > 0)) {
        throw new InvalidInputException(
            "A group of the latent is zero on the calibration data, so its norm cannot be"
                + " estimated; use --norm exact or --transform hadamard.");
      }
      estimates.put(0, group, 1 / shares[group]);
    }
  }
}
