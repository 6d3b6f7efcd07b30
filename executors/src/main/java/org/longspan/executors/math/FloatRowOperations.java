package org.longspan.executors.math;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatActivation;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatRow;

/**
 * {@link RowOperations} on {@code float}: a row is copied into a small array, worked on there, and
 * copied back.
 */
final class FloatRowOperations implements RowOperations {
  private static final double EPSILON = 1e-6;
  private static final double ROTARY_BASE = 10_000;

  /** What a thread works on. */
  private static final class Scratch {
    private final FloatRows rows = new FloatRows();
    private double[] frequencies = new double[0];
    private int frequenciesOf;

    /** Of the rotary positions of a head of {@code headWidth}: {@code base^(−2i/headWidth)}. */
    double[] frequencies(int headWidth) {
      if (frequenciesOf != headWidth) {
        frequencies = new double[headWidth / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
          frequencies[pair] = Math.pow(ROTARY_BASE, -2.0 * pair / headWidth);
        }
        frequenciesOf = headWidth;
      }
      return frequencies;
    }

    float[] row(int index, int length) {
      return rows.row(index, length);
    }
  }

  // Of the instance, not of the class: two ranks may share a JVM.
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

  private static float[] whole(Scratch scratch, int index, Matrix vector) {
    float[] values = scratch.row(index, vector.columns());
    ((FloatMatrix) vector).read(0, 0, values, 0, vector.columns());
    return values;
  }

  @Override
  public void normalize(Matrix x, Matrix gain, Matrix out, Matrix inverse) {
    FloatMatrix source = (FloatMatrix) x;
    FloatMatrix target = (FloatMatrix) out;
    Scratch own = scratch.get();
    int width = x.columns();
    float[] gains = whole(own, 0, gain);
    float[] row = own.row(1, width);
    for (long r = 0; r < x.rows(); r++) {
      source.read(r, 0, row, 0, width);
      double squares = FloatRow.dot(row, 0, row, 0, width);
      double scale = 1 / Math.sqrt(squares / width + EPSILON);
      inverse.put(r, 0, scale);
      FloatRow.scaledProduct(FloatNumber.of(scale), row, 0, gains, 0, row, 0, width);
      target.write(r, 0, row, 0, width);
    }
  }

  @Override
  public void normalizeGradient(
      Matrix x, Matrix gain, Matrix inverse, Matrix outGradient, Matrix dx, Matrix dgain) {
    FloatMatrix source = (FloatMatrix) x;
    FloatMatrix gradient = (FloatMatrix) outGradient;
    FloatMatrix target = (FloatMatrix) dx;
    Scratch own = scratch.get();
    int width = x.columns();
    float[] gains = whole(own, 0, gain);
    float[] gainGradient = whole(own, 1, dgain);
    float[] row = own.row(2, width);
    float[] incoming = own.row(3, width);
    float[] result = own.row(4, width);
    for (long r = 0; r < x.rows(); r++) {
      source.read(r, 0, row, 0, width);
      gradient.read(r, 0, incoming, 0, width);
      target.read(r, 0, result, 0, width);
      normalizeRowGradient(
          inverse.get(r, 0), gains, gainGradient, row, 0, incoming, 0, result, 0, width);
      target.write(r, 0, result, 0, width);
    }
    ((FloatMatrix) dgain).write(0, 0, gainGradient, 0, width);
  }

  /** Adds to {@code result} and {@code gainGradient}; {@code incoming} is overwritten. */
  private static void normalizeRowGradient(
      double inverse,
      float[] gains,
      float[] gainGradient,
      float[] row,
      int rowOffset,
      float[] incoming,
      int incomingOffset,
      float[] result,
      int resultOffset,
      int width) {
    float scale = FloatNumber.of(inverse);
    FloatRow.addScaledProduct(
        scale, row, rowOffset, incoming, incomingOffset, gainGradient, 0, width);
    FloatRow.scaledProduct(
        scale, incoming, incomingOffset, gains, 0, incoming, incomingOffset, width);
    double dot = FloatRow.dot(row, rowOffset, incoming, incomingOffset, width);
    FloatRow.addScaled(1f, incoming, incomingOffset, result, resultOffset, width);
    FloatRow.addScaled(
        FloatNumber.of(-dot / width * inverse * inverse),
        row,
        rowOffset,
        result,
        resultOffset,
        width);
  }

  @Override
  public void normalizeAndGate(Matrix x, Matrix gate, Matrix gain, Matrix out, Matrix inverse) {
    FloatMatrix source = (FloatMatrix) x;
    FloatMatrix gates = (FloatMatrix) gate;
    FloatMatrix target = (FloatMatrix) out;
    Scratch own = scratch.get();
    int width = x.columns();
    int headWidth = gain.columns();
    int heads = width / headWidth;
    float[] gains = whole(own, 0, gain);
    float[] row = own.row(1, width);
    float[] open = own.row(2, width);
    for (long r = 0; r < x.rows(); r++) {
      source.read(r, 0, row, 0, width);
      gates.read(r, 0, open, 0, width);
      FloatActivation.sigmoid(open, 0, open, 0, width);
      for (int head = 0; head < heads; head++) {
        int at = head * headWidth;
        double squares = FloatRow.dot(row, at, row, at, headWidth);
        double scale = 1 / Math.sqrt(squares / headWidth + EPSILON);
        inverse.put(r, head, scale);
        FloatRow.scaledProduct(FloatNumber.of(scale), row, at, gains, 0, row, at, headWidth);
      }
      FloatRow.scaledProduct(1f, row, 0, open, 0, row, 0, width);
      target.write(r, 0, row, 0, width);
    }
  }

  @Override
  public void normalizeAndGateGradient(
      Matrix x,
      Matrix gate,
      Matrix gain,
      Matrix inverse,
      Matrix outGradient,
      Matrix dx,
      Matrix dgate,
      Matrix dgain) {
    FloatMatrix source = (FloatMatrix) x;
    FloatMatrix gates = (FloatMatrix) gate;
    FloatMatrix gradient = (FloatMatrix) outGradient;
    Scratch own = scratch.get();
    int width = x.columns();
    int headWidth = gain.columns();
    int heads = width / headWidth;
    float[] gains = whole(own, 0, gain);
    float[] gainGradient = whole(own, 1, dgain);
    float[] row = own.row(2, width);
    float[] open = own.row(3, width);
    float[] incoming = own.row(4, width);
    float[] normalized = own.row(5, width);
    float[] result = own.row(6, width);
    for (long r = 0; r < x.rows(); r++) {
      source.read(r, 0, row, 0, width);
      gates.read(r, 0, open, 0, width);
      gradient.read(r, 0, incoming, 0, width);
      FloatActivation.sigmoid(open, 0, open, 0, width);
      Arrays.fill(result, 0, width, 0f);
      for (int head = 0; head < heads; head++) {
        int at = head * headWidth;
        float scale = FloatNumber.of(inverse.get(r, head));
        FloatRow.scaledProduct(scale, row, at, gains, 0, normalized, at, headWidth);
      }
      // d gate = incoming · normalized · σ (1 − σ), and what goes on is incoming · σ.
      FloatRow.scaledProduct(1f, incoming, 0, open, 0, incoming, 0, width);
      FloatRow.scaledProduct(1f, incoming, 0, normalized, 0, normalized, 0, width);
      FloatRow.scaledProduct(-1f, normalized, 0, open, 0, open, 0, width);
      FloatRow.addScaled(1f, normalized, 0, open, 0, width);
      ((FloatMatrix) dgate).write(r, 0, open, 0, width);
      for (int head = 0; head < heads; head++) {
        int at = head * headWidth;
        normalizeRowGradient(
            inverse.get(r, head),
            gains,
            gainGradient,
            row,
            at,
            incoming,
            at,
            result,
            at,
            headWidth);
      }
      ((FloatMatrix) dx).write(r, 0, result, 0, width);
    }
    ((FloatMatrix) dgain).write(0, 0, gainGradient, 0, headWidth);
  }

  @Override
  public void silu(Matrix x, Matrix out) {
    Scratch own = scratch.get();
    float[] row = own.row(0, x.columns());
    float[] result = own.row(1, x.columns());
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, x.columns());
      FloatActivation.silu(row, 0, result, 0, x.columns());
      ((FloatMatrix) out).write(r, 0, result, 0, x.columns());
    }
  }

  @Override
  public void siluGradient(Matrix x, Matrix gradient) {
    Scratch own = scratch.get();
    float[] row = own.row(0, x.columns());
    float[] slope = own.row(1, x.columns());
    float[] exponentials = own.row(2, x.columns());
    for (long r = 0; r < x.rows(); r++) {
      ((FloatMatrix) x).read(r, 0, row, 0, x.columns());
      ((FloatMatrix) gradient).read(r, 0, slope, 0, x.columns());
      FloatActivation.siluGradient(row, 0, slope, 0, exponentials, x.columns());
      ((FloatMatrix) gradient).write(r, 0, slope, 0, x.columns());
    }
  }

  @Override
  public void swiglu(Matrix up, Matrix hidden) {
    Scratch own = scratch.get();
    int width = hidden.columns();
    float[] row = own.row(0, 2 * width);
    float[] result = own.row(1, width);
    for (long r = 0; r < up.rows(); r++) {
      ((FloatMatrix) up).read(r, 0, row, 0, 2 * width);
      FloatActivation.swiglu(row, 0, row, width, result, 0, width);
      ((FloatMatrix) hidden).write(r, 0, result, 0, width);
    }
  }

  @Override
  public void swigluGradient(Matrix up, Matrix hiddenGradient, Matrix dup) {
    Scratch own = scratch.get();
    int width = hiddenGradient.columns();
    float[] row = own.row(0, 2 * width);
    float[] gradient = own.row(1, width);
    float[] exponentials = own.row(2, width);
    for (long r = 0; r < up.rows(); r++) {
      ((FloatMatrix) up).read(r, 0, row, 0, 2 * width);
      ((FloatMatrix) hiddenGradient).read(r, 0, gradient, 0, width);
      FloatActivation.swigluGradient(row, 0, row, width, gradient, 0, exponentials, width);
      ((FloatMatrix) dup).write(r, 0, row, 0, 2 * width);
    }
  }

  @Override
  public void rotate(Matrix x, long firstPosition, int headWidth, double factor, Matrix out) {
    turn(x, firstPosition, headWidth, factor, 1, out);
  }

  @Override
  public void rotateBack(
      Matrix gradient, long firstPosition, int headWidth, double factor, Matrix out) {
    turn(gradient, firstPosition, headWidth, factor, -1, out);
  }

  private void turn(
      Matrix x, long firstPosition, int headWidth, double factor, int direction, Matrix out) {
    Scratch own = scratch.get();
    int width = x.columns();
    int pairs = headWidth / 2;
    float[] row = own.row(0, width);
    float[] cosines = own.row(1, pairs);
    float[] sines = own.row(2, pairs);
    float scale = FloatNumber.of(factor);
    double[] frequencies = own.frequencies(headWidth);
    for (long r = 0; r < x.rows(); r++) {
      for (int pair = 0; pair < pairs; pair++) {
        // In double: a float angle has lost its fraction a million tokens on.
        double angle = (firstPosition + r) * frequencies[pair];
        cosines[pair] = FloatNumber.of(factor * Math.cos(angle));
        sines[pair] = FloatNumber.of(direction * factor * Math.sin(angle));
      }
      ((FloatMatrix) x).read(r, 0, row, 0, width);
      for (int at = 0; at < width; at += headWidth) {
        for (int pair = 0; pair < pairs; pair++) {
          float even = row[at + 2 * pair];
          float odd = row[at + 2 * pair + 1];
          row[at + 2 * pair] = even * cosines[pair] - odd * sines[pair];
          row[at + 2 * pair + 1] = odd * cosines[pair] + even * sines[pair];
        }
        if (headWidth % 2 == 1) {
          row[at + headWidth - 1] *= scale;
        }
      }
      ((FloatMatrix) out).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void add(Matrix from, Matrix into) {
    Scratch own = scratch.get();
    int width = from.columns();
    float[] source = own.row(0, width);
    float[] sum = own.row(1, width);
    for (long r = 0; r < from.rows(); r++) {
      ((FloatMatrix) from).read(r, 0, source, 0, width);
      ((FloatMatrix) into).read(r, 0, sum, 0, width);
      FloatRow.addScaled(1f, source, 0, sum, 0, width);
      ((FloatMatrix) into).write(r, 0, sum, 0, width);
    }
  }

  @Override
  public void convolve(Matrix x, int halo, Matrix taps, int[] reach, int from, int to, Matrix out) {
    Scratch own = scratch.get();
    int width = x.columns();
    int count = Math.toIntExact(taps.rows());
    float[] weights = weights(own, taps);
    float[] row = own.row(1, width);
    float[] sum = own.row(2, width);
    for (int t = from; t < to; t++) {
      ((FloatMatrix) x).read(halo + t, 0, row, 0, width);
      System.arraycopy(row, 0, sum, 0, width);
      FloatRow.addProduct(row, 0, weights, 0, sum, 0, width);
      for (int tap = 1; tap < count && tap <= reach[t]; tap++) {
        ((FloatMatrix) x).read(halo + t - tap, 0, row, 0, width);
        FloatRow.addProduct(row, 0, weights, tap * width, sum, 0, width);
      }
      ((FloatMatrix) out).write(t, 0, sum, 0, width);
    }
  }

  private static float[] weights(Scratch own, Matrix taps) {
    int width = taps.columns();
    int count = Math.toIntExact(taps.rows());
    float[] weights = own.row(0, count * width);
    for (int tap = 0; tap < count; tap++) {
      ((FloatMatrix) taps).read(tap, 0, weights, tap * width, width);
    }
    return weights;
  }

  @Override
  public void convolveGradient(
      Matrix outGradient, int halo, Matrix taps, int[] reach, int from, int to, Matrix dx) {
    Scratch own = scratch.get();
    int width = taps.columns();
    int count = Math.toIntExact(taps.rows());
    float[] weights = weights(own, taps);
    float[] row = own.row(1, width);
    float[] sum = own.row(2, width);
    for (int s = from; s < to; s++) {
      Arrays.fill(sum, 0, width, 0f);
      for (int tap = 0; tap < count; tap++) {
        int t = s - halo + tap;
        if (t < 0 || t >= outGradient.rows() || tap > reach[t]) {
          continue;
        }
        ((FloatMatrix) outGradient).read(t, 0, row, 0, width);
        FloatRow.addProduct(row, 0, weights, tap * width, sum, 0, width);
        if (tap == 0) {
          FloatRow.addScaled(1f, row, 0, sum, 0, width);
        }
      }
      ((FloatMatrix) dx).write(s, 0, sum, 0, width);
    }
  }

  @Override
  public void convolveTapsGradient(
      Matrix x, int halo, Matrix outGradient, int[] reach, int from, int to, Matrix dtaps) {
    Scratch own = scratch.get();
    int width = x.columns();
    int count = Math.toIntExact(dtaps.rows());
    float[] sums = weights(own, dtaps);
    float[] gradient = own.row(1, width);
    float[] row = own.row(2, width);
    for (int t = from; t < to; t++) {
      ((FloatMatrix) outGradient).read(t, 0, gradient, 0, width);
      for (int tap = 0; tap < count && tap <= reach[t]; tap++) {
        ((FloatMatrix) x).read(halo + t - tap, 0, row, 0, width);
        FloatRow.addProduct(row, 0, gradient, 0, sums, tap * width, width);
      }
    }
    for (int tap = 0; tap < count; tap++) {
      ((FloatMatrix) dtaps).write(tap, 0, sums, tap * width, width);
    }
  }

  @Override
  public double crossEntropy(Matrix logits, int[] targets, int first, double scale) {
    int width = logits.columns();
    float[] row = scratch.get().row(0, width);
    double loss = 0;
    for (int r = 0; r < logits.rows(); r++) {
      int target = targets[first + r];
      if (target < 0) {
        Arrays.fill(row, 0, width, 0f);
      } else {
        ((FloatMatrix) logits).read(r, 0, row, 0, width);
        double chosen = row[target];
        float maximum = FloatRow.maximum(row, 0, width);
        double sum = FloatRow.exponentials(maximum, row, 0, width);
        loss += Math.log(sum) + maximum - chosen;
        FloatRow.scale(FloatNumber.of(scale / sum), row, 0, width);
        row[target] -= FloatNumber.of(scale);
      }
      ((FloatMatrix) logits).write(r, 0, row, 0, width);
    }
    return loss;
  }

  @Override
  public void exponentials(
      Matrix logits, int[] targets, int first, int firstColumn, double[] statistics, int from) {
    int width = logits.columns();
    float[] row = scratch.get().row(0, width);
    for (int r = 0; r < logits.rows(); r++) {
      int target = targets[first + r];
      int at = 3 * (from + r);
      Arrays.fill(statistics, at, at + 3, 0);
      if (target < 0) {
        Arrays.fill(row, 0, width, 0f);
      } else {
        ((FloatMatrix) logits).read(r, 0, row, 0, width);
        int column = target - firstColumn;
        statistics[at + 2] = column >= 0 && column < width ? row[column] : 0;
        float maximum = FloatRow.maximum(row, 0, width);
        statistics[at] = maximum;
        statistics[at + 1] = FloatRow.exponentials(maximum, row, 0, width);
      }
      ((FloatMatrix) logits).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void softmaxGradient(
      Matrix logits, int[] targets, int first, int firstColumn, double[] factors, int from) {
    int width = logits.columns();
    float[] row = scratch.get().row(0, width);
    for (int r = 0; r < logits.rows(); r++) {
      int target = targets[first + r];
      if (target < 0) {
        continue;
      }
      ((FloatMatrix) logits).read(r, 0, row, 0, width);
      FloatRow.scale(FloatNumber.of(factors[from + r]), row, 0, width);
      int column = target - firstColumn;
      if (column >= 0 && column < width) {
        row[column] -= 1f;
      }
      ((FloatMatrix) logits).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void gather(Matrix table, int[] ids, int first, Matrix out) {
    int width = table.columns();
    float[] row = scratch.get().row(0, width);
    for (int r = 0; r < out.rows(); r++) {
      if (ids[first + r] < 0) {
        Arrays.fill(row, 0, width, 0f);
      } else {
        ((FloatMatrix) table).read(ids[first + r], 0, row, 0, width);
      }
      ((FloatMatrix) out).write(r, 0, row, 0, width);
    }
  }

  @Override
  public void scatterAdd(Matrix rows, int[] ids, Matrix table) {
    Scratch own = scratch.get();
    int width = table.columns();
    float[] row = own.row(0, width);
    float[] sum = own.row(1, width);
    for (int r = 0; r < rows.rows(); r++) {
      if (ids[r] < 0) {
        continue;
      }
      ((FloatMatrix) rows).read(r, 0, row, 0, width);
      ((FloatMatrix) table).read(ids[r], 0, sum, 0, width);
      FloatRow.addScaled(1f, row, 0, sum, 0, width);
      ((FloatMatrix) table).write(ids[r], 0, sum, 0, width);
    }
  }

  @Override
  public double sumOfSquares(Matrix x) {
    double sum = 0;
    Flat flat = new Flat(x);
    for (long at = 0; at < x.size(); at += flat.block.length) {
      int length = flat.read(at);
      for (int i = 0; i < length; i++) {
        double value = flat.block[i];
        sum += value * value;
      }
    }
    return sum;
  }

  @Override
  public void scale(double factor, Matrix x) {
    Flat flat = new Flat(x);
    for (long at = 0; at < x.size(); at += flat.block.length) {
      int length = flat.read(at);
      FloatRow.scale(FloatNumber.of(factor), flat.block, 0, length);
      flat.write(at, length);
    }
  }

  /** A contiguous matrix as one row after another, a block at a time, whatever its columns are. */
  private final class Flat {
    private static final int BLOCK = 1 << 12;

    private final FloatMatrix column;
    private final float[] block = scratch.get().row(0, BLOCK);

    Flat(Matrix matrix) {
      this.column = (FloatMatrix) matrix.reshape(matrix.size(), 1);
    }

    int read(long at) {
      int length = (int) Math.min(block.length, column.rows() - at);
      column.readRun(at, block, length);
      return length;
    }

    void write(long at, int length) {
      column.writeRun(at, block, length);
    }
  }
}
