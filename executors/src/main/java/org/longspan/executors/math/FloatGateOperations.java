package org.longspan.executors.math;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatActivation;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatRow;

/**
 * {@link GateOperations} on {@code float}: a row is copied into a small array, worked on there, and
 * copied back.
 */
final class FloatGateOperations implements GateOperations {
  private static final double EPSILON = 1e-6;
  private static final float SHARPNESS = 1f / 16;

  // Of the instance, not of the class: two ranks may share a JVM.
  private final ThreadLocal<FloatRows> scratch = ThreadLocal.withInitial(FloatRows::new);

  @Override
  public void logGates(Matrix x, Matrix bias, Matrix gates) {
    FloatRows own = scratch.get();
    int width = x.columns();
    float[] biases = own.row(0, width);
    ((FloatMatrix) bias).read(0, 0, biases, 0, width);
    float[] row = own.row(1, width);
    float[] result = own.row(2, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      FloatRow.addScaled(1f, biases, 0, row, 0, width);
      FloatActivation.logSigmoid(row, 0, result, 0, width);
      FloatRow.scale(SHARPNESS, result, 0, width);
      ((FloatMatrix) gates).write(r, 0, result, 0, width);
    }
  }

  @Override
  public void logGatesGradient(
      Matrix x, Matrix bias, Matrix gatesGradient, Matrix dx, Matrix dbias) {
    FloatRows own = scratch.get();
    int width = x.columns();
    float[] biases = own.row(0, width);
    ((FloatMatrix) bias).read(0, 0, biases, 0, width);
    float[] biasGradient = own.row(1, width);
    ((FloatMatrix) dbias).read(0, 0, biasGradient, 0, width);
    float[] row = own.row(2, width);
    float[] gradient = own.row(3, width);
    float[] exponentials = own.row(4, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      ((FloatMatrix) gatesGradient).read(r, 0, gradient, 0, width);
      FloatRow.addScaled(1f, biases, 0, row, 0, width);
      FloatRow.scale(SHARPNESS, gradient, 0, width);
      FloatActivation.logSigmoidGradient(row, 0, gradient, 0, exponentials, width);
      FloatRow.addScaled(1f, gradient, 0, biasGradient, 0, width);
      ((FloatMatrix) dx).write(r, 0, gradient, 0, width);
    }
    ((FloatMatrix) dbias).write(0, 0, biasGradient, 0, width);
  }

  @Override
  public void sigmoid(Matrix x, Matrix out) {
    int width = x.columns();
    float[] row = scratch.get().row(0, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      FloatActivation.sigmoid(row, 0, row, 0, width);
      ((FloatMatrix) out).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void sigmoidGradient(Matrix x, Matrix outGradient, Matrix dx) {
    int width = x.columns();
    FloatRows own = scratch.get();
    float[] row = own.row(0, width);
    float[] gradient = own.row(1, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      ((FloatMatrix) outGradient).read(r, 0, gradient, 0, width);
      FloatActivation.sigmoid(row, 0, row, 0, width);
      for (int i = 0; i < width; i++) {
        gradient[i] *= row[i] * (1f - row[i]);
      }
      ((FloatMatrix) dx).write(r, 0, gradient, 0, width);
    }
  }

  @Override
  public void unitHeads(Matrix x, int headWidth, Matrix out) {
    int width = x.columns();
    float[] row = scratch.get().row(0, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      for (int start = 0; start < width; start += headWidth) {
        float scale = FloatNumber.of(inverseLength(row, start, headWidth));
        for (int i = start; i < start + headWidth; i++) {
          row[i] *= scale;
        }
      }
      ((FloatMatrix) out).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void unitHeadsGradient(Matrix x, int headWidth, Matrix gradient) {
    int width = x.columns();
    FloatRows own = scratch.get();
    float[] row = own.row(0, width);
    float[] change = own.row(1, width);
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      ((FloatMatrix) gradient).read(r, 0, change, 0, width);
      for (int start = 0; start < width; start += headWidth) {
        double inverse = inverseLength(row, start, headWidth);
        double dot = FloatRow.dot(row, start, change, start, headWidth);
        float scale = FloatNumber.of(inverse);
        float along = FloatNumber.of(inverse * inverse * inverse * dot);
        for (int i = start; i < start + headWidth; i++) {
          change[i] = scale * change[i] - along * row[i];
        }
      }
      ((FloatMatrix) gradient).write(r, 0, change, 0, width);
    }
  }

  private static double inverseLength(float[] row, int start, int length) {
    return 1 / Math.sqrt(FloatRow.dot(row, start, row, start, length) + EPSILON);
  }
}
