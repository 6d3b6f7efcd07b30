package org.longspan.executors.convert;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.longspan.datapipeline.InvalidInputException;

/**
 * An orthogonal change of a latent's basis.
 *
 * <p>Threading: immutable.
 */
public final class LatentTransform {
  private static final int SWEEPS = 60;

  private final double[][] basis;

  private LatentTransform(double[][] basis) {
    this.basis = basis;
  }

  /** {@code [rank][rank]}; its columns are the new axes. */
  double[][] basis() {
    return basis;
  }

  /**
   * The Hadamard matrix of {@code rank} with its rows' signs drawn from {@code seed}, over the root
   * of rank.
   *
   * @throws InvalidInputException where rank is not a power of two
   */
  public static LatentTransform hadamard(int rank, long seed) {
    if (Integer.bitCount(rank) != 1) {
      throw new InvalidInputException(
          "--transform hadamard takes a model.latent.rank that is a power of two, not "
              + rank
              + "; use --transform pca.");
    }
    Random random = new Random(seed);
    double[][] basis = new double[rank][rank];
    for (int row = 0; row < rank; row++) {
      double size = (random.nextBoolean() ? 1 : -1) / Math.sqrt(rank);
      for (int column = 0; column < rank; column++) {
        basis[row][column] = Integer.bitCount(row & column) % 2 == 0 ? size : -size;
      }
    }
    return new LatentTransform(basis);
  }

  /** The eigenvectors of {@code moment}, those of the largest eigenvalues first. */
  public static LatentTransform principalComponents(SecondMoment moment) {
    double[][] rest = Arrays.stream(moment.sums()).map(double[]::clone).toArray(double[][]::new);
    int rank = rest.length;
    double[][] vectors = new double[rank][rank];
    for (int i = 0; i < rank; i++) {
      vectors[i][i] = 1;
    }
    for (int sweep = 0; sweep < SWEEPS && turnAll(rest, vectors); sweep++) {
      // Each sweep leaves less beside the diagonal.
    }
    int[] order =
        IntStream.range(0, rank)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -rest[i][i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[][] basis = new double[rank][rank];
    for (int row = 0; row < rank; row++) {
      for (int column = 0; column < rank; column++) {
        basis[row][column] = vectors[row][order[column]];
      }
    }
    return new LatentTransform(basis);
  }

  /** One sweep of Jacobi's method; says whether it turned anything. */
  private static boolean turnAll(double[][] rest, double[][] vectors) {
    boolean turned = false;
    for (int p = 0; p < rest.length; p++) {
      for (int q = p + 1; q < rest.length; q++) {
        double beside = rest[p][q];
        if (Math.abs(beside) > 1e-15 * Math.sqrt(Math.abs(rest[p][p] * rest[q][q]))) {
          double slope = (rest[q][q] - rest[p][p]) / (2 * beside);
          double tangent = Math.copySign(1, slope) / (Math.abs(slope) + Math.hypot(slope, 1));
          double cosine = 1 / Math.hypot(tangent, 1);
          turnColumns(rest, p, q, cosine, tangent * cosine);
          turnRows(rest, p, q, cosine, tangent * cosine);
          turnColumns(vectors, p, q, cosine, tangent * cosine);
          turned = true;
        }
      }
    }
    return turned;
  }

  private static void turnColumns(double[][] a, int p, int q, double cosine, double sine) {
    for (double[] row : a) {
      double first = row[p];
      row[p] = cosine * first - sine * row[q];
      row[q] = sine * first + cosine * row[q];
    }
  }

  private static void turnRows(double[][] a, int p, int q, double cosine, double sine) {
    for (int column = 0; column < a.length; column++) {
      double first = a[p][column];
      a[p][column] = cosine * first - sine * a[q][column];
      a[q][column] = sine * first + cosine * a[q][column];
    }
  }
}
