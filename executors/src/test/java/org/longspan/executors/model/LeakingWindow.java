package org.longspan.executors.model;

import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.memory.Matrix;

/** Attention to which the slice is all of one document, begun long before. */
record LeakingWindow(WindowAttention sound) implements WindowAttention {
  private static Documents runTogether(Documents documents) {
    return Documents.one(documents.tokens(), 1 << 20);
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
    sound.forward(q, k, v, runTogether(documents), first, last, o, logSums);
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
    sound.backward(q, k, v, o, logSums, outputGradient, runTogether(documents), dq, dk, dv);
  }

  @Override
  public String description() {
    return sound.description();
  }

  @Override
  public void close() {
    sound.close();
  }
}
