package org.longspan.executors.convert;

import org.longspan.executors.memory.Matrix;

/**
 * The uncentred second moment of a layer's latents before their norm, {@code Σ cᵀc}, not divided by
 * the number of tokens.
 *
 * <p>Threading: any thread adds; read it when all have.
 */
public final class SecondMoment {
  private final double[][] sums;

  public SecondMoment(int rank) {
    this.sums = new double[rank][rank];
  }

  /** Adds {@code latents}, {@code [tokens][rank]}. */
  public synchronized void add(double[][] latents) {
    for (double[] latent : latents) {
      for (int i = 0; i < sums.length; i++) {
        double factor = latent[i];
        for (int j = 0; j < sums.length; j++) {
          sums[i][j] += factor * latent[j];
        }
      }
    }
  }

  /** Adds the latents {@code x · down}. */
  void add(Matrix x, Matrix down) {
    double[][] weights = DenseMatrix.of(down);
    add(DenseMatrix.multiply(DenseMatrix.of(x), weights));
  }

  /** The sums, {@code [rank][rank]}. */
  double[][] sums() {
    return sums;
  }

  /** The share that each of {@code groups} has of the latents' squares after {@code transform}. */
  public double[] shares(LatentTransform transform, int groups) {
    double[][] basis = transform.basis();
    double[][] turned = DenseMatrix.multiply(sums, basis);
    double[] shares = new double[groups];
    double total = 0;
    for (int column = 0; column < sums.length; column++) {
      double squares = 0;
      for (int row = 0; row < sums.length; row++) {
        squares += basis[row][column] * turned[row][column];
      }
      shares[column * groups / sums.length] += squares;
      total += squares;
    }
    for (int group = 0; group < groups; group++) {
      shares[group] /= total;
    }
    return shares;
  }
}
