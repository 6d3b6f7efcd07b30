package org.longspan.executors.convert;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Sums of rows {@code x}, and of their products {@code xᵀx}, in double.
 *
 * <p>Threading: any thread adds; read it when all have.
 */
public final class SecondMoment {
  private final INDArray products;
  private final INDArray sum;
  private long rows;

  /**
   * @param columns of a row
   */
  public SecondMoment(int columns) {
    this.products = Nd4j.zeros(DataType.DOUBLE, columns, columns);
    this.sum = Nd4j.zeros(DataType.DOUBLE, 1, columns);
  }

  /** Adds {@code more}, {@code [rows, columns]}. */
  synchronized void add(INDArray more) {
    products.addi(more.transpose().mmul(more));
    sum.addi(more.sum(true, 0));
    rows += more.rows();
  }

  /** About zero, {@code [columns, columns]}, not divided by the number of rows. */
  INDArray aboutZero() {
    return products;
  }

  /** About the rows' mean. */
  INDArray aboutMean() {
    return products.sub(sum.transpose().mmul(sum).divi(Math.max(1, rows)));
  }

  /**
   * The share that each of {@code groups} of columns has of the squares after {@code transform}.
   */
  double[] shares(LatentTransform transform, int groups) {
    INDArray squares = transform.turn(products);
    int columns = squares.columns();
    double total = 0;
    for (int column = 0; column < columns; column++) {
      total += squares.getDouble(column, column);
    }
    double[] shares = new double[groups];
    for (int column = 0; column < columns; column++) {
      shares[column * groups / columns] += squares.getDouble(column, column) / total;
    }
    return shares;
  }
}
