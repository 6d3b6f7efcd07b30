package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * Takes the inputs of a reference through one attention slice by slice, each with the rows before
 * it as its halo, and adds up what the slices give: for attentions of which a process has one.
 */
final class WindowSlices {
  private final WindowReference reference;
  private final double[] o;
  private final double[] logSums;
  private final double[] dq;
  private final double[] dk;
  private final double[] dv;

  private WindowSlices(WindowReference reference) {
    this.reference = reference;
    this.o = new double[reference.o.length];
    this.logSums = new double[reference.logSums.length];
    this.dq = new double[reference.dq.length];
    this.dk = new double[reference.dk.length];
    this.dv = new double[reference.dv.length];
  }

  /**
   * Every output and gradient is the reference's.
   *
   * @param spareHalo rows of the halo beyond those that the window reaches
   * @param cuts ascending offsets at which a next slice starts
   */
  static void assertEqualReference(
      WindowAttention attention,
      WindowReference reference,
      int window,
      int spareHalo,
      double bound,
      int... cuts) {
    WindowSlices slices = new WindowSlices(reference);
    int tokens = reference.documents.tokens();
    for (int slice = 0; slice <= cuts.length; slice++) {
      int from = slice == 0 ? 0 : cuts[slice - 1];
      int to = slice == cuts.length ? tokens : cuts[slice];
      slices.run(attention, from, to, (int) Math.min(from, window - 1L + spareHalo));
    }
    slices.assertWithin(bound, "window " + window + ", cut at " + Arrays.toString(cuts) + ": ");
  }

  private void run(WindowAttention attention, int from, int to, int halo) {
    int length = to - from;
    int keys = reference.shape.keyColumns();
    int values = reference.shape.valueColumns();
    int heads = reference.shape.heads();
    Documents documents = reference.documents.piece(from, to);
    try (Arena arena = new Arena("of a slice", Precision.FLOAT)) {
      Matrix q = Matrices.filled(arena, reference.q, from, length, keys);
      Matrix k = Matrices.filled(arena, reference.k, from - halo, halo + length, keys);
      Matrix v = Matrices.filled(arena, reference.v, from - halo, halo + length, values);
      Matrix outputGradient =
          Matrices.filled(arena, reference.outputGradient, from, length, values);
      Matrix sliceO = Matrices.poisoned(arena, length, values);
      Matrix sliceSums = Matrices.poisoned(arena, length, heads);
      Matrix sliceDq = Matrices.poisoned(arena, length, keys);
      Matrix sliceDk = Matrices.poisoned(arena, halo + length, keys);
      Matrix sliceDv = Matrices.poisoned(arena, halo + length, values);
      attention.forward(q, k, v, documents, 0, length, sliceO, sliceSums);
      attention.backward(
          q, k, v, sliceO, sliceSums, outputGradient, documents, sliceDq, sliceDk, sliceDv);
      add(sliceO, o, from * values);
      add(sliceSums, logSums, from * heads);
      add(sliceDq, dq, from * keys);
      add(sliceDk, dk, (from - halo) * keys);
      add(sliceDv, dv, (from - halo) * values);
    }
  }

  private static void add(Matrix part, double[] whole, int offset) {
    double[] numbers = Matrices.numbers(part);
    for (int i = 0; i < numbers.length; i++) {
      whole[offset + i] += numbers[i];
    }
  }

  private void assertWithin(double bound, String name) {
    assertWithin(bound, name + "o", o, reference.o, 0);
    assertWithin(bound, name + "log sums", logSums, reference.logSums, 0);
    // Where each token sees only itself the gradients of scores are zero but for rounding.
    double outputGradient = RankwiseError.norm(reference.outputGradient);
    assertWithin(bound, name + "dq", dq, reference.dq, outputGradient * 1e-2);
    assertWithin(bound, name + "dk", dk, reference.dk, outputGradient * 1e-2);
    assertWithin(bound, name + "dv", dv, reference.dv, 0);
  }

  private void assertWithin(
      double bound, String name, double[] actual, double[] expected, double least) {
    double floor = RankwiseError.norm(expected) < least ? least * 1e2 : 0;
    RankwiseError.assertWithin(bound, name, actual, expected, floor, reference.documents.tokens());
  }
}
