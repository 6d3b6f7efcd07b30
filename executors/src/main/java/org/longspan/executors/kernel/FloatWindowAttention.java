package org.longspan.executors.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * {@link WindowAttention} on the CPU: the forward goes out to the workers by heads and blocks of
 * queries, the backward by heads, since the gradients of keys add up over blocks.
 *
 * <p>Threading: as {@link WindowAttention}. Memory: fixed scratch for each worker.
 */
final class FloatWindowAttention implements WindowAttention {
  private static final int BLOCK = FloatWindowSweep.BLOCK;

  private final AttentionShape shape;
  private final AttentionMatrices shapes;
  private final Workers workers;
  private final String description;
  private final FloatWindowSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();

  /** What is done with one piece of the work. */
  private interface Piece {
    void accept(FloatWindowSweep sweep, int index);
  }

  FloatWindowAttention(AttentionShape shape, int window, Workers workers, String description) {
    this.shape = shape;
    this.shapes = new AttentionMatrices(shape, Precision.FLOAT);
    this.workers = workers;
    this.description = description;
    this.sweeps = new FloatWindowSweep[workers.threads()];
    for (int worker = 0; worker < sweeps.length; worker++) {
      sweeps[worker] = new FloatWindowSweep(shape, window);
    }
  }

  @Override
  public void forward(
      Matrix q,
      Matrix k,
      Matrix v,
      Documents documents,
      int first,
      int last,
      Matrix o,
      Matrix logSums) {
    if (first < 0 || first > last || last > documents.tokens()) {
      throw new IndexOutOfBoundsException(
          "Rows " + first + " to " + last + " of a slice of " + documents.tokens() + " tokens");
    }
    check(q, k, v, documents, o, logSums);
    int firstBlock = first / BLOCK;
    int blocks = (last + BLOCK - 1) / BLOCK - firstBlock;
    run(
        shape.heads() * blocks,
        (sweep, piece) -> {
          int block = firstBlock + piece % blocks;
          sweep.forward(
              piece / blocks,
              (FloatMatrix) q,
              (FloatMatrix) k,
              (FloatMatrix) v,
              documents,
              Math.max(first, block * BLOCK),
              Math.min(last, (block + 1) * BLOCK),
              (FloatMatrix) o,
              (FloatMatrix) logSums);
        });
  }

  @Override
  public void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix o,
      Matrix logSums,
      Matrix outputGradient,
      Documents documents,
      Matrix dq,
      Matrix dk,
      Matrix dv) {
    check(q, k, v, documents, o, logSums);
    shapes.checkValues("outputGradient", outputGradient, documents.tokens());
    shapes.checkKeys("dq", dq, documents.tokens());
    shapes.checkKeys("dk", dk, k.rows());
    shapes.checkValues("dv", dv, k.rows());
    run(
        shape.heads(),
        (sweep, head) ->
            sweep.backward(
                head,
                (FloatMatrix) q,
                (FloatMatrix) k,
                (FloatMatrix) v,
                (FloatMatrix) o,
                (FloatMatrix) logSums,
                (FloatMatrix) outputGradient,
                documents,
                (FloatMatrix) dq,
                (FloatMatrix) dk,
                (FloatMatrix) dv));
  }

  private void check(Matrix q, Matrix k, Matrix v, Documents documents, Matrix o, Matrix logSums) {
    int tokens = documents.tokens();
    long rows = Math.max(tokens, k.rows());
    shapes.checkKeys("q", q, tokens);
    shapes.checkKeys("k", k, rows);
    shapes.checkValues("v", v, rows);
    shapes.checkValues("o", o, tokens);
    shapes.check("logSums", logSums, tokens, shape.heads());
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {}

  private void run(int pieces, Piece piece) {
    next.set(0);
    IntConsumer drain =
        worker -> {
          for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
            piece.accept(sweeps[worker], i);
          }
        };
    workers.forEach(Math.min(pieces, sweeps.length), drain);
  }
}
