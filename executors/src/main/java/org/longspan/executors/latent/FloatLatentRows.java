package org.longspan.executors.latent;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatRow;

/**
 * {@link LatentRows} on {@code float}: a row is copied into a small array, worked on there, and
 * copied back.
 */
final class FloatLatentRows implements LatentRows {
  /** What a thread works on; it grows to the widest row that it met. */
  private static final class Scratch {
    private final float[][] rows = new float[4][0];
    private double[] frequencies = new double[0];
    private double theta;

    float[] row(int index, int length) {
      if (rows[index].length < length) {
        rows[index] = new float[length];
      }
      return rows[index];
    }

    double[] frequencies(int rotary, double base) {
      if (frequencies.length != rotary / 2 || theta != base) {
        theta = base;
        frequencies = new double[rotary / 2];
        Arrays.setAll(frequencies, pair -> Math.pow(base, -2.0 * pair / rotary));
      }
      return frequencies;
    }
  }

  // Of the instance, not of the class: two ranks may share a JVM.
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

  private static float[] read(Matrix x, long row, float[] into) {
    ((FloatMatrix) x).read(row, 0, into, 0, x.columns());
    return into;
  }

  private static void write(Matrix x, long row, float[] from) {
    ((FloatMatrix) x).write(row, 0, from, 0, x.columns());
  }

  @Override
  public void squares(Matrix x, Matrix squares) {
    dots(x, x, squares);
  }

  @Override
  public void dots(Matrix a, Matrix b, Matrix means) {
    int width = a.columns();
    float[] first = scratch.get().row(0, width);
    float[] second = scratch.get().row(1, width);
    for (long r = 0; r < a.rows(); r++) {
      read(a, r, first);
      read(b, r, second);
      means.put(r, 0, FloatRow.dot(first, 0, second, 0, width));
    }
  }

  @Override
  public void inverse(Matrix squares, double factor, double epsilon, Matrix inverse) {
    for (long r = 0; r < squares.rows(); r++) {
      inverse.put(r, 0, 1 / Math.sqrt(squares.get(r, 0) * factor + epsilon));
    }
  }

  @Override
  public void normalize(Matrix x, Matrix inverse, Matrix gain, Matrix out) {
    int width = x.columns();
    float[] gains = read(gain, 0, scratch.get().row(0, width));
    float[] row = scratch.get().row(1, width);
    for (long r = 0; r < x.rows(); r++) {
      read(x, r, row);
      FloatRow.scaledProduct(FloatNumber.of(inverse.get(r, 0)), row, 0, gains, 0, row, 0, width);
      write(out, r, row);
    }
  }

  @Override
  public void normProducts(Matrix outGradient, Matrix gain, Matrix x, Matrix products) {
    int width = x.columns();
    float[] gains = read(gain, 0, scratch.get().row(0, width));
    float[] row = scratch.get().row(1, width);
    float[] gradient = scratch.get().row(2, width);
    for (long r = 0; r < x.rows(); r++) {
      read(x, r, row);
      read(outGradient, r, gradient);
      FloatRow.scaledProduct(1f, gradient, 0, gains, 0, gradient, 0, width);
      products.put(r, 0, FloatRow.dot(row, 0, gradient, 0, width));
    }
  }

  @Override
  public void normalizeGradient(
      Matrix outGradient,
      Matrix gain,
      Matrix x,
      Matrix inverse,
      double factor,
      Matrix products,
      Matrix dx) {
    int width = x.columns();
    float[] gains = read(gain, 0, scratch.get().row(0, width));
    float[] row = scratch.get().row(1, width);
    float[] gradient = scratch.get().row(2, width);
    for (long r = 0; r < x.rows(); r++) {
      double scale = inverse.get(r, 0);
      double back = -scale * scale * scale * factor * products.get(r, 0);
      read(x, r, row);
      read(outGradient, r, gradient);
      FloatRow.scaledProduct(FloatNumber.of(scale), gradient, 0, gains, 0, gradient, 0, width);
      FloatRow.addScaled(FloatNumber.of(back), row, 0, gradient, 0, width);
      write(dx, r, gradient);
    }
  }

  @Override
  public void gainGradient(Matrix outGradient, Matrix x, Matrix inverse, Matrix dgain) {
    int width = x.columns();
    float[] sum = read(dgain, 0, scratch.get().row(0, width));
    float[] row = scratch.get().row(1, width);
    float[] gradient = scratch.get().row(2, width);
    for (long r = 0; r < x.rows(); r++) {
      read(x, r, row);
      read(outGradient, r, gradient);
      FloatRow.addScaledProduct(
          FloatNumber.of(inverse.get(r, 0)), row, 0, gradient, 0, sum, 0, width);
    }
    write(dgain, 0, sum);
  }

  @Override
  public void turn(
      Matrix x,
      int plain,
      int rotary,
      double theta,
      long firstPosition,
      int direction,
      double factor) {
    int width = x.columns();
    int pairs = rotary / 2;
    Scratch own = scratch.get();
    float[] row = own.row(0, width);
    float[] cosines = own.row(1, pairs);
    float[] sines = own.row(2, pairs);
    double[] frequencies = own.frequencies(rotary, theta);
    for (long r = 0; r < x.rows(); r++) {
      for (int pair = 0; pair < pairs; pair++) {
        // In double: a float angle has lost its fraction a million tokens on.
        double angle = (firstPosition + r) * frequencies[pair];
        cosines[pair] = FloatNumber.of(factor * Math.cos(angle));
        sines[pair] = FloatNumber.of(direction * factor * Math.sin(angle));
      }
      read(x, r, row);
      for (int head = 0; head < width; head += plain + rotary) {
        FloatRow.scale(FloatNumber.of(factor), row, head, plain);
        for (int pair = 0; pair < pairs; pair++) {
          int at = head + plain + 2 * pair;
          float even = row[at];
          float odd = row[at + 1];
          row[at] = even * cosines[pair] - odd * sines[pair];
          row[at + 1] = odd * cosines[pair] + even * sines[pair];
        }
      }
      write(x, r, row);
    }
  }

  @Override
  public void scaled(double factor, Matrix x, Matrix out) {
    float[] row = scratch.get().row(0, x.columns());
    for (long r = 0; r < x.rows(); r++) {
      read(x, r, row);
      FloatRow.scale(FloatNumber.of(factor), row, 0, x.columns());
      write(out, r, row);
    }
  }

  @Override
  public void addScaled(double factor, Matrix x, Matrix out) {
    float[] row = scratch.get().row(0, x.columns());
    float[] sum = scratch.get().row(1, x.columns());
    for (long r = 0; r < x.rows(); r++) {
      read(x, r, row);
      read(out, r, sum);
      FloatRow.addScaled(FloatNumber.of(factor), row, 0, sum, 0, x.columns());
      write(out, r, sum);
    }
  }

  @Override
  public double dot(Matrix a, Matrix b) {
    float[] first = scratch.get().row(0, a.columns());
    float[] second = scratch.get().row(1, a.columns());
    double sum = 0;
    for (long r = 0; r < a.rows(); r++) {
      read(a, r, first);
      read(b, r, second);
      sum += FloatRow.dot(first, 0, second, 0, a.columns());
    }
    return sum;
  }

  @Override
  public void absorb(Matrix scores, Matrix outputs, Matrix maxima, Matrix sums) {
    int keys = scores.columns();
    int width = outputs.columns();
    float[] row = scratch.get().row(0, keys);
    float[] output = scratch.get().row(1, width);
    for (long r = 0; r < scores.rows(); r++) {
      read(scores, r, row);
      float before = FloatNumber.of(maxima.get(r, 0));
      float maximum = Math.max(before, FloatRow.maximum(row, 0, keys));
      double sum = sums.get(r, 0);
      if (maximum > before) {
        float fade = FloatNumber.of(Math.exp(before - maximum));
        sum *= fade;
        read(outputs, r, output);
        FloatRow.scale(fade, output, 0, width);
        write(outputs, r, output);
        maxima.put(r, 0, maximum);
      }
      sums.put(r, 0, sum + FloatRow.exponentials(maximum, row, 0, keys));
      write(scores, r, row);
    }
  }

  @Override
  public void joinSoftmax(
      Matrix part, Matrix partLogSums, Matrix outputs, Matrix maxima, Matrix sums) {
    int width = outputs.columns();
    float[] output = scratch.get().row(0, width);
    float[] added = scratch.get().row(1, width);
    for (long r = 0; r < outputs.rows(); r++) {
      double before = maxima.get(r, 0);
      double score = partLogSums.get(r, 0);
      double maximum = Math.max(before, score);
      double fade = Math.exp(before - maximum);
      double weight = Math.exp(score - maximum);
      read(outputs, r, output);
      read(part, r, added);
      FloatRow.scale(FloatNumber.of(fade), output, 0, width);
      FloatRow.addScaled(FloatNumber.of(weight), added, 0, output, 0, width);
      write(outputs, r, output);
      maxima.put(r, 0, maximum);
      sums.put(r, 0, sums.get(r, 0) * fade + weight);
    }
  }

  @Override
  public void finishSoftmax(Matrix outputs, Matrix maxima, Matrix sums) {
    float[] row = scratch.get().row(0, outputs.columns());
    for (long r = 0; r < outputs.rows(); r++) {
      double sum = sums.get(r, 0);
      read(outputs, r, row);
      FloatRow.scale(FloatNumber.of(1 / sum), row, 0, outputs.columns());
      write(outputs, r, row);
      sums.put(r, 0, maxima.get(r, 0) + Math.log(sum));
    }
  }

  @Override
  public void fill(Matrix x, double value) {
    float[] row = scratch.get().row(0, x.columns());
    Arrays.fill(row, 0, x.columns(), FloatNumber.of(value));
    for (long r = 0; r < x.rows(); r++) {
      write(x, r, row);
    }
  }
}
