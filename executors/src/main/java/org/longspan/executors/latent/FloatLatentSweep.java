package org.longspan.executors.latent;

import org.longspan.executors.math.Products;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatRow;

/** {@link LatentSweep} on {@code float}. */
final class FloatLatentSweep implements LatentSweep {
  private final Products products;
  private final int nope;
  private final int keyWidth;
  private final Matrix keyRoom;
  private final Matrix valueRoom;
  private final Matrix scoreRoom;
  private final Matrix scoreGradientRoom;
  private final Matrix keyGradientRoom;
  private final Matrix valueGradientRoom;
  private final float[] row;
  private final float[] gradientRow;
  private final float[] zeros;
  private final float[] output;
  private Matrix keys;
  private Matrix values;
  private Matrix keyGradients;
  private Matrix valueGradients;
  private long keyPosition;
  private long pairs;

  FloatLatentSweep(LatentShape shape, LatentPlace place, int worker, int blockLength) {
    int value = shape.value();
    this.products = place.numerics().products();
    this.nope = shape.nope();
    this.keyWidth = shape.keyWidth();
    this.keyRoom = room(place, worker, "keys", blockLength, keyWidth);
    this.valueRoom = room(place, worker, "values", blockLength, value);
    this.scoreRoom = room(place, worker, "scores", blockLength, blockLength);
    this.scoreGradientRoom = room(place, worker, "score gradients", blockLength, blockLength);
    this.keyGradientRoom = room(place, worker, "key gradients", blockLength, keyWidth);
    this.valueGradientRoom = room(place, worker, "value gradients", blockLength, value);
    this.row = new float[blockLength];
    this.gradientRow = new float[blockLength];
    this.zeros = new float[blockLength];
    this.output = new float[value];
  }

  private static Matrix room(
      LatentPlace place, int worker, String what, int blockLength, int columns) {
    return place.memory().shared("latent " + what + " of worker " + worker, blockLength, columns);
  }

  @Override
  public void expand(
      Matrix content, Matrix rope, Matrix keyWeights, Matrix valueWeights, long position) {
    keys = keyRoom.rows(0, content.rows());
    values = valueRoom.rows(0, content.rows());
    keyPosition = position;
    products.multiply(content, keyWeights, 0, keys.columns(0, nope));
    keys.columns(nope, keyWidth).set(rope);
    products.multiply(content, valueWeights, 0, values);
  }

  /** Keys that the last of {@code rows} queries does not see are left out. */
  private int columns(long position, long rows) {
    return (int) Math.min(keys.rows(), position + rows - keyPosition);
  }

  private int from(long lowest) {
    return (int) Math.max(0, lowest - keyPosition);
  }

  private int to(long position, int columns) {
    return (int) Math.max(0, Math.min(columns, position + 1 - keyPosition));
  }

  @Override
  public void forward(
      long position, long[] lowest, Matrix q, Matrix o, Matrix maxima, Matrix sums) {
    int rows = Math.toIntExact(q.rows());
    int columns = columns(position, rows);
    FloatMatrix scores = (FloatMatrix) scoreRoom.rows(0, rows).columns(0, columns);
    products.multiplyTransposed(q, keys.rows(0, columns), 0, scores);
    for (int r = 0; r < rows; r++) {
      int from = from(lowest[r]);
      int to = to(position + r, columns);
      absorb(scores, r, from, to, columns, (FloatMatrix) o, maxima, sums);
    }
    products.multiply(scores, values.rows(0, columns), 1, o);
    pairs += (long) rows * columns;
  }

  /** A row's scores become weights relative to its running maximum. */
  private void absorb(
      FloatMatrix scores,
      int r,
      int from,
      int to,
      int columns,
      FloatMatrix o,
      Matrix maxima,
      Matrix sums) {
    if (from >= to) {
      scores.write(r, 0, zeros, 0, columns);
      return;
    }
    scores.read(r, from, row, 0, to - from);
    float before = FloatNumber.of(maxima.get(r, 0));
    float maximum = Math.max(before, FloatRow.maximum(row, 0, to - from));
    double sum = sums.get(r, 0);
    if (maximum > before) {
      float fade = FloatNumber.of(Math.exp(before - maximum));
      sum *= fade;
      o.read(r, 0, output, 0, output.length);
      FloatRow.scale(fade, output, 0, output.length);
      o.write(r, 0, output, 0, output.length);
      maxima.put(r, 0, maximum);
    }
    sums.put(r, 0, sum + FloatRow.exponentials(maximum, row, 0, to - from));
    writeAmongZeros(scores, r, row, from, to, columns);
  }

  private void writeAmongZeros(
      FloatMatrix into, int r, float[] numbers, int from, int to, int columns) {
    into.write(r, 0, zeros, 0, from);
    into.write(r, from, numbers, 0, to - from);
    into.write(r, to, zeros, 0, columns - to);
  }

  @Override
  public void startGradients() {
    keyGradients = keyGradientRoom.rows(0, keys.rows());
    valueGradients = valueGradientRoom.rows(0, keys.rows());
    keyGradients.zero();
    valueGradients.zero();
  }

  @Override
  public void backward(
      long position,
      long[] lowest,
      Matrix q,
      Matrix outputGradient,
      Matrix logSums,
      Matrix means,
      Matrix dq) {
    int rows = Math.toIntExact(q.rows());
    int columns = columns(position, rows);
    FloatMatrix weights = (FloatMatrix) scoreRoom.rows(0, rows).columns(0, columns);
    FloatMatrix gradients = (FloatMatrix) scoreGradientRoom.rows(0, rows).columns(0, columns);
    Matrix seenKeys = keys.rows(0, columns);
    products.multiplyTransposed(q, seenKeys, 0, weights);
    products.multiplyTransposed(outputGradient, values.rows(0, columns), 0, gradients);
    for (int r = 0; r < rows; r++) {
      int from = from(lowest[r]);
      int to = to(position + r, columns);
      if (from >= to) {
        weights.write(r, 0, zeros, 0, columns);
        gradients.write(r, 0, zeros, 0, columns);
        continue;
      }
      int length = to - from;
      weights.read(r, from, row, 0, length);
      gradients.read(r, from, gradientRow, 0, length);
      FloatRow.exponentials(FloatNumber.of(logSums.get(r, 0)), row, 0, length);
      FloatRow.scaledProduct(1f, row, 0, gradientRow, 0, gradientRow, 0, length);
      FloatRow.addScaled(FloatNumber.of(-means.get(r, 0)), row, 0, gradientRow, 0, length);
      writeAmongZeros(weights, r, row, from, to, columns);
      writeAmongZeros(gradients, r, gradientRow, from, to, columns);
    }
    products.multiply(gradients, seenKeys, 1, dq);
    products.transposedMultiply(gradients, q, 1, keyGradients.rows(0, columns));
    products.transposedMultiply(weights, outputGradient, 1, valueGradients.rows(0, columns));
    pairs += (long) rows * columns;
  }

  @Override
  public void finishGradients(Matrix contentKeys, Matrix rope, Matrix intoValues) {
    contentKeys.set(keyGradients.columns(0, nope));
    rope.set(keyGradients.columns(nope, keyWidth));
    intoValues.set(valueGradients);
  }

  @Override
  public long pairs() {
    return pairs;
  }
}
