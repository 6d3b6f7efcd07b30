package org.longspan.executors.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
    moment.add(Nd4j.createFromArray(latents));
    return moment;
  }

  private static void assertOrthogonal(LatentTransform transform) {
    INDArray square = transform.turn(Nd4j.eye(RANK).castTo(DataType.DOUBLE));
    for (int row = 0; row < RANK; row++) {
      for (int column = 0; column < RANK; column++) {
        assertThat(square.getDouble(row, column)).isCloseTo(row == column ? 1 : 0, within(1e-13));
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
    INDArray turned = LatentTransform.principalComponents(moment).turn(moment.aboutZero());
    for (int row = 0; row < RANK; row++) {
      for (int column = 0; column < RANK; column++) {
        if (row != column) {
          assertThat(turned.getDouble(row, column) / turned.getDouble(0, 0))
              .isCloseTo(0, within(1e-13));
        }
      }
      if (row > 0) {
        assertThat(turned.getDouble(row, row))
            .isLessThanOrEqualTo(turned.getDouble(row - 1, row - 1));
      }
    }
  }

  @Test
  void shouldShareOutTheSquares() {
    SecondMoment moment = new SecondMoment(2);
    moment.add(Nd4j.createFromArray(new double[][] {{2, 0}, {0, 1}}));
    assertThat(moment.shares(LatentTransform.principalComponents(moment), 2))
        .containsExactly(new double[] {0.8, 0.2}, within(1e-15));
    assertThat(moment.shares(LatentTransform.hadamard(2, 1), 2))
        .containsExactly(new double[] {0.5, 0.5}, within(1e-15));
    assertThat(moment.shares(LatentTransform.hadamard(2, 1), 1))
        .containsExactly(new double[] {1}, within(1e-15));
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
