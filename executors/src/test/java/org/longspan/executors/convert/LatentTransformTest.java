package org.longspan.executors.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;

class LatentTransformTest {
  private static final int RANK = 16;

  private static SecondMoment moment() {
    Random random = new Random(1);
    double[][] latents = new double[40][RANK];
    for (double[] latent : latents) {
      for (int column = 0; column < RANK; column++) {
        latent[column] = random.nextGaussian() * (1 + column) + latent[Math.max(0, column - 1)];
      }
    }
    SecondMoment moment = new SecondMoment(RANK);
    moment.add(latents);
    return moment;
  }

  private static void assertOrthogonal(LatentTransform transform) {
    double[][] basis = transform.basis();
    double[][] square = DenseMatrix.multiply(DenseMatrix.transposed(basis), basis);
    for (int row = 0; row < RANK; row++) {
      for (int column = 0; column < RANK; column++) {
        assertThat(square[row][column]).isCloseTo(row == column ? 1 : 0, within(1e-13));
      }
    }
  }

  @Test
  void shouldBeOrthogonal() {
    assertOrthogonal(LatentTransform.hadamard(RANK, 3));
    assertOrthogonal(LatentTransform.principalComponents(moment()));
  }

  @Test
  void shouldLeaveNothingBesideTheDiagonalAlongPrincipalComponents() {
    SecondMoment moment = moment();
    double[][] basis = LatentTransform.principalComponents(moment).basis();
    double[][] turned =
        DenseMatrix.multiply(
            DenseMatrix.transposed(basis), DenseMatrix.multiply(moment.sums(), basis));
    for (int row = 0; row < RANK; row++) {
      for (int column = 0; column < RANK; column++) {
        if (row != column) {
          assertThat(turned[row][column] / turned[0][0]).isCloseTo(0, within(1e-13));
        }
      }
      if (row > 0) {
        assertThat(turned[row][row]).isLessThanOrEqualTo(turned[row - 1][row - 1]);
      }
    }
  }

  @Test
  void shouldShareOutTheSquares() {
    SecondMoment moment = new SecondMoment(2);
    moment.add(new double[][] {{2, 0}, {0, 1}});
    assertThat(moment.shares(LatentTransform.principalComponents(moment), 2))
        .containsExactly(new double[] {0.8, 0.2}, within(1e-15));
    assertThat(moment.shares(LatentTransform.hadamard(2, 1), 2))
        .containsExactly(new double[] {0.5, 0.5}, within(1e-15));
    assertThat(moment.shares(LatentTransform.hadamard(2, 1), 1)).containsExactly(1);
  }

  @Test
  void shouldRefuseAHadamardMatrixThatThereIsNot() {
    assertThatThrownBy(() -> LatentTransform.hadamard(12, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "--transform hadamard takes a model.latent.rank that is a power of two, not 12; use"
                + " --transform pca.");
  }
}
