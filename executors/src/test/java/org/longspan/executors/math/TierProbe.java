package org.longspan.executors.math;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Random;
import java.util.Set;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.GateWidth;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.vector.DoubleActivation;
import org.longspan.executors.vector.DoubleRow;
import org.longspan.executors.vector.FloatActivation;
import org.longspan.executors.vector.FloatRow;

/**
 * Computes the same again and again, as often as its argument says, and prints a hash of all
 * results: one line for each hash that was not seen before.
 */
final class TierProbe {
  private static final int[] LENGTHS = {1, 7, 8, 19, 50};
  private static final int ROWS = 3;
  private static final int HEADS = 2;
  private static final int CHUNK = 12;
  private static final int TOKENS = 40;

  private final MessageDigest digest;
  private final Random random = new Random(11);
  private final Precision precision;
  private final Arena arena;

  private TierProbe(MessageDigest digest, Precision precision, Arena arena) {
    this.digest = digest;
    this.precision = precision;
    this.arena = arena;
  }

  public static void main(String[] arguments) throws NoSuchAlgorithmException {
    Set<String> seen = new LinkedHashSet<>();
    for (int round = 0; round < Integer.parseInt(arguments[0]); round++) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Precision precision : Precision.values()) {
        try (Arena arena = new Arena("of the probe", precision)) {
          new TierProbe(digest, precision, arena).run();
        }
      }
      String hash = HexFormat.of().formatHex(digest.digest());
      if (seen.add(hash)) {
        System.out.println("hash: " + hash);
      }
    }
  }

  private void run() {
    floats();
    doubles();
    for (int length : LENGTHS) {
      rows(length);
      product(length);
    }
    window(new AttentionShape(HEADS, 3, 5), 20, 66);
    AttentionShape shape = new AttentionShape(HEADS, 5, 3);
    try (Workers workers = new Workers(1);
        LinearAttention decay =
            Kernels.linear(
                KernelChoice.CPU, precision, shape, new double[] {0.1, 0.01}, CHUNK, workers);
        LinearAttention gated =
            Kernels.gated(KernelChoice.CPU, precision, shape, GateWidth.SCALAR, CHUNK, workers);
        LinearAttention gatedKeys =
            Kernels.gated(KernelChoice.CPU, precision, shape, GateWidth.VECTOR, CHUNK, workers);
        LinearAttention delta = Kernels.delta(KernelChoice.CPU, precision, shape, CHUNK, workers)) {
      linear(decay, shape, shape.heads());
      linear(gated, shape, shape.heads());
      linear(gatedKeys, shape, shape.keyColumns());
      linear(delta, shape, shape.heads());
    }
  }

  private void floats() {
    for (int length : LENGTHS) {
      float[] x = new float[length];
      float[] out = new float[length];
      for (int i = 0; i < length; i++) {
        x[i] = i % 5 == 0 ? 90 * (float) random.nextGaussian() : (float) random.nextGaussian();
      }
      FloatActivation.logSigmoid(x, 0, out, 0, length);
      add(out);
      FloatActivation.logSigmoidGradient(x, 0, out, 0, new float[length], length);
      add(out);
      add(FloatRow.dot(x, 0, x, 0, length));
      add(FloatRow.exponentials(1.5f, x, 0, length));
      add(x);
    }
  }

  private void doubles() {
    for (int length : LENGTHS) {
      double[] x = new double[length];
      double[] out = new double[length];
      Arrays.setAll(x, i -> i % 5 == 0 ? 700 * random.nextGaussian() : random.nextGaussian());
      DoubleActivation.logSigmoid(x, 0, out, 0, length);
      add(out);
      DoubleActivation.logSigmoidGradient(x, 0, out, 0, new double[length], length);
      add(out);
      add(DoubleRow.dot(x, 0, x, 0, length));
      add(DoubleRow.exponentials(1.5, x, 0, length));
      add(x);
    }
  }

  private void rows(int headWidth) {
    RowOperations rows = Numerics.of(precision).rows();
    int width = HEADS * headWidth;
    Matrix x = uniform(ROWS, width);
    Matrix y = uniform(ROWS, width);
    Matrix gain = uniform(1, width);
    Matrix gainGradient = uniform(1, width);
    Matrix inverse = arena.matrix(ROWS, 1);
    Matrix out = arena.matrix(ROWS, width);
    rows.normalize(x, gain, out, inverse);
    add(out, inverse);
    rows.normalizeGradient(x, gain, inverse, y, out, gainGradient);
    add(out, gainGradient);

    Matrix headGain = uniform(1, headWidth);
    Matrix headGainGradient = uniform(1, headWidth);
    Matrix headInverse = arena.matrix(ROWS, HEADS);
    Matrix gateGradient = arena.matrix(ROWS, width);
    rows.normalizeAndGate(x, y, headGain, out, headInverse);
    add(out, headInverse);
    rows.normalizeAndGateGradient(
        x, y, headGain, headInverse, uniform(ROWS, width), out, gateGradient, headGainGradient);
    add(out, gateGradient, headGainGradient);

    Matrix hidden = arena.matrix(ROWS, headWidth);
    rows.swiglu(x, hidden);
    rows.swigluGradient(x, uniform(ROWS, headWidth), out);
    add(hidden, out);
    rows.silu(x, out);
    rows.siluGradient(x, y);
    add(out, y);
    rows.rotate(x, 1_000_003, headWidth, 0.3, out);
    rows.rotateBack(x, 1_000_003, headWidth, 0.3, y);
    rows.add(out, y);
    rows.scale(1.1, y);
    add(out, y);
    add(rows.sumOfSquares(y));

    int[] targets = {width - 1, -1, 0};
    add(rows.crossEntropy(x, targets, 0, 0.7));
    rows.gather(y, targets[0] > 1 ? new int[] {2, 0, 1} : new int[] {0, 1, 2}, 0, out);
    rows.scatterAdd(out, new int[] {2, 2, 0}, y);
    add(x, y);

    GateOperations gates = Numerics.of(precision).gates();
    gates.logGates(x, gain, out);
    add(out);
    gates.logGatesGradient(x, gain, out, y, gainGradient);
    add(y, gainGradient);
    gates.sigmoid(x, out);
    gates.sigmoidGradient(x, out, y);
    add(out, y);
    gates.unitHeads(x, headWidth, out);
    gates.unitHeadsGradient(x, headWidth, y);
    add(out, y);

    Matrix taps = uniform(2, width);
    int[] reach = {0, 1, 1};
    rows.convolve(x, 0, taps, reach, 0, ROWS, out);
    rows.convolveGradient(out, 0, taps, reach, 0, ROWS, y);
    rows.convolveTapsGradient(x, 0, out, reach, 0, ROWS, taps);
    add(out, y, taps);
  }

  private void product(int width) {
    Products products = Numerics.of(precision).products();
    Matrix a = uniform(ROWS, width);
    Matrix b = uniform(width, 5);
    Matrix c = arena.matrix(ROWS, 5);
    products.multiply(a, b, 0, c);
    products.transposedMultiply(a, c, 1, b);
    products.multiplyTransposed(c, b, 1, a);
    add(a, b, c);
  }

  private void window(AttentionShape shape, int window, int tokens) {
    int halo = window - 1;
    Documents documents = new Documents(tokens, new int[] {50}, 10);
    Matrix q = uniform(tokens, shape.keyColumns());
    Matrix k = uniform(halo + tokens, shape.keyColumns());
    Matrix v = uniform(halo + tokens, shape.valueColumns());
    Matrix o = arena.matrix(tokens, shape.valueColumns());
    Matrix logSums = arena.matrix(tokens, shape.heads());
    Matrix dq = arena.matrix(tokens, shape.keyColumns());
    Matrix dk = arena.matrix(halo + tokens, shape.keyColumns());
    Matrix dv = arena.matrix(halo + tokens, shape.valueColumns());
    try (Workers workers = new Workers(1);
        WindowAttention attention =
            Kernels.window(KernelChoice.CPU, precision, shape, window, workers)) {
      attention.forward(q, k, v, documents, 0, tokens, o, logSums);
      Matrix outputGradient = uniform(tokens, shape.valueColumns());
      attention.backward(q, k, v, o, logSums, outputGradient, documents, dq, dk, dv);
    }
    add(o, logSums, dq, dk, dv);
  }

  private void linear(LinearAttention attention, AttentionShape shape, int gates) {
    Documents documents = new Documents(TOKENS, new int[] {TOKENS - 20}, 10);
    LinearTensors inputs = tensors(shape, gates);
    LinearTensors gradients = tensors(shape, gates);
    Matrix o = arena.matrix(TOKENS, shape.valueColumns());
    Matrix outputGradient = uniform(TOKENS, shape.valueColumns());
    Matrix incoming = uniform(shape.keyColumns(), shape.valueWidth());
    Matrix summary = arena.matrix(shape.keyColumns(), shape.valueWidth());
    Matrix transition = arena.matrix(shape.keyColumns(), attention.transitionColumns());
    attention.summarize(inputs, documents, summary, transition);
    add(summary, transition);
    attention.forward(inputs, documents, o);
    attention.addIncoming(inputs, incoming, documents, o);
    attention.summarizeGradient(inputs, outputGradient, documents, summary);
    attention.backward(inputs, outputGradient, incoming, documents, gradients);
    attention.addIncomingGradient(inputs, incoming, summary, documents, gradients);
    add(o, summary, gradients.q(), gradients.k(), gradients.v(), gradients.gates());
    add(gradients.beta());
  }

  private LinearTensors tensors(AttentionShape shape, int gates) {
    return new LinearTensors(
        uniform(TOKENS, shape.keyColumns()),
        uniform(TOKENS, shape.keyColumns(), -0.4, 0.4),
        uniform(TOKENS, shape.valueColumns()),
        uniform(TOKENS, gates, -0.5, 0),
        uniform(TOKENS, shape.heads(), 0, 1));
  }

  private Matrix uniform(int rows, int columns) {
    return uniform(rows, columns, -2, 2);
  }

  private Matrix uniform(int rows, int columns, double least, double most) {
    Matrix matrix = arena.matrix(rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, least + (most - least) * random.nextDouble());
      }
    }
    return matrix;
  }

  private void add(Matrix... matrices) {
    for (Matrix matrix : matrices) {
      digest.update(matrix.bytes());
    }
  }

  private void add(float[] numbers) {
    for (float number : numbers) {
      add(number);
    }
  }

  private void add(double... numbers) {
    ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Double.BYTES);
    bytes.asDoubleBuffer().put(numbers);
    digest.update(bytes);
  }
}
