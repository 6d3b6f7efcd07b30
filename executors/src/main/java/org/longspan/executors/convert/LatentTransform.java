package org.longspan.executors.convert;

import java.util.Random;
import java.util.stream.LongStream;
import org.longspan.datapipeline.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * An orthogonal change of a latent's basis.
 *
 * <p>Threading: immutable.
 */
public final class LatentTransform {
  private final INDArray basis;

  private LatentTransform(INDArray basis) {
    this.basis = basis;
  }

  /** U, {@code [rank, rank]}; its columns are the new axes. */
  INDArray basis() {
    return basis;
  }

  /** {@code Uᵀ moment U}. */
  INDArray turn(INDArray moment) {
    return basis.transpose().mmul(moment).mmul(basis);
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
    return new LatentTransform(Nd4j.createFromArray(basis));
  }

  /** The eigenvectors of {@code moment}, those of the largest eigenvalues first. */
  public static LatentTransform principalComponents(SecondMoment moment) {
    INDArray vectors = moment.aboutZero().dup('f');
    int rank = vectors.rows();
    INDArray values = Nd4j.zeros(DataType.DOUBLE, rank);
    Nd4j.getBlasWrapper().lapack().syev('V', 'U', vectors, values);
    // LAPACK puts the smallest first.
    long[] largestFirst = LongStream.range(0, rank).map(i -> rank - 1 - i).toArray();
    return new LatentTransform(
        vectors.get(NDArrayIndex.all(), NDArrayIndex.indices(largestFirst)).dup('c'));
  }
}
