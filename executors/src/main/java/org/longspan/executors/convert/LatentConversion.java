package org.longspan.executors.convert;

import java.util.List;
import java.util.Map;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;

/**
 * Gives a TPLA model the parameters of an MLA model (arXiv 2508.15881): {@code WDKV' = WDKV U},
 * {@code [WUK|WUV]' = Uᵀ diag(γ)[WUK|WUV]}, γ' = 1, which changes nothing; then {@code α_s = 1 /}
 * group s's share of the latent's squares, where norms are local, and {@code μ_s = 1}. With more
 * than one group the result is an approximation.
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
   * @param moments of its latent layers, in their order
   */
  public void apply(Map<String, Matrix> from, List<SecondMoment> moments, LanguageModel to) {
    LatentShape shape = to.shape().latent();
    Map<String, Matrix> target = to.parameters();
    from.forEach((name, values) -> target.get(name).set(values));
    int place = 0;
    for (String name : from.keySet()) {
      if (name.endsWith(".mixer.latent-down")) {
        String mixer = name.substring(0, name.length() - "latent-down".length());
        convert(mixer, from, moments.get(place++), target, shape);
      }
    }
  }

  private void convert(
      String mixer,
      Map<String, Matrix> from,
      SecondMoment moment,
      Map<String, Matrix> to,
      LatentShape shape) {
    LatentTransform transform =
        switch (kind) {
          case HADAMARD -> LatentTransform.hadamard(shape.rank(), seed);
          case PCA -> LatentTransform.principalComponents(moment);
        };
    double[][] basis = transform.basis();
    DenseMatrix.write(
        DenseMatrix.multiply(DenseMatrix.of(from.get(mixer + "latent-down")), basis),
        to.get(mixer + "latent-down"));
    double[][] gained = DenseMatrix.transposed(basis);
    Matrix gains = from.get(mixer + "latent-norm");
    for (double[] row : gained) {
      for (int column = 0; column < row.length; column++) {
        row[column] *= gains.get(0, column);
      }
    }
    for (String up : List.of("key-up", "value-up")) {
      DenseMatrix.write(
          DenseMatrix.multiply(gained, DenseMatrix.of(from.get(mixer + up))), to.get(mixer + up));
    }
    fill(to.get(mixer + "latent-norm"), 1);
    fill(to.get(mixer + "content-scale"), 1);
    if (shape.estimatesNorms()) {
      estimate(moment.shares(transform, shape.groups()), to.get(mixer + "norm-estimates"));
    }
  }

  private static void fill(Matrix row, double value) {
    for (int column = 0; column < row.columns(); column++) {
      row.put(0, column, value);
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
