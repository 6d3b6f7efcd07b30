package org.longspan.executors.bench.kernel;

import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Softmax attention over one document. */
final class SoftmaxCase extends KernelCase {
  private final int tokens;
  private final Documents documents;
  private final WindowAttention attention;
  private final Matrix q;
  private final Matrix k;
  private final Matrix v;
  private final Matrix o;
  private final Matrix logSums;
  private final Matrix outputGradient;
  private final Matrix dq;
  private final Matrix dk;
  private final Matrix dv;

  SoftmaxCase(AttentionShape shape, int tokens, int window, KernelChoice choice, Workers workers) {
    super(shape);
    this.tokens = tokens;
    this.documents = Documents.one(tokens, 0);
    this.attention = Kernels.window(choice, Precision.FLOAT, shape, window, workers);
    double scale = 2 / Math.sqrt(shape.keyWidth());
    this.q = numbers(tokens, shape.keyColumns(), -scale, scale);
    this.k = numbers(tokens, shape.keyColumns(), -1, 1);
    this.v = numbers(tokens, shape.valueColumns(), -1, 1);
    this.o = zeros(tokens, shape.valueColumns());
    this.logSums = zeros(tokens, shape.heads());
    this.outputGradient = numbers(tokens, shape.valueColumns(), -1, 1);
    this.dq = zeros(tokens, shape.keyColumns());
    this.dk = zeros(tokens, shape.keyColumns());
    this.dv = zeros(tokens, shape.valueColumns());
  }

  @Override
  void run(KernelPass pass) {
    switch (pass) {
      case FORWARD -> attention.forward(q, k, v, documents, 0, tokens, o, logSums);
      case BACKWARD ->
          attention.backward(q, k, v, o, logSums, outputGradient, documents, dq, dk, dv);
    }
  }

  @Override
  String description() {
    return attention.description();
  }

  @Override
  AutoCloseable attention() {
    return attention;
  }

  @Override
  public void close() {
    attention.close();
    super.close();
  }
}
