package org.longspan.executors.kernel;

import org.longspan.executors.kernel.LinearCase.Input;

/** Linear attention token by token, as it is defined, in double: what every form must equal. */
final class LinearRecurrence {
  private LinearRecurrence() {}

  static LinearResult of(LinearCase problem) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    LinearResult result =
        new LinearResult(
            new double[tokens * shape.valueColumns()],
            new double[shape.keyColumns() * shape.valueWidth()],
            new double[tokens * shape.keyColumns()],
            new double[tokens * shape.keyColumns()],
            new double[tokens * shape.valueColumns()],
            new double[shape.keyColumns() * shape.valueWidth()]);
    for (int head = 0; head < shape.heads(); head++) {
      head(problem, head, result);
    }
    return result;
  }

  private static void head(LinearCase problem, int head, LinearResult result) {
    AttentionShape shape = problem.shape();
    Documents documents = problem.documents();
    int tokens = documents.tokens();
    int dk = shape.keyWidth();
    int dv = shape.valueWidth();
    double decay = Math.exp(-problem.slopes()[head]);
    int states = head * dk * dv;
    double[][] after = new double[tokens][];
    double[] state = new double[dk * dv];
    if (documents.continued() > 0 || tokens == 0) {
      System.arraycopy(problem.get(Input.INCOMING), states, state, 0, dk * dv);
    }
    for (int t = 0; t < tokens; t++) {
      int key = t * shape.keyColumns() + head * dk;
      int value = t * shape.valueColumns() + head * dv;
      double keep = documents.startOf(t) == t ? 0 : decay;
      double[] next = new double[dk * dv];
      for (int i = 0; i < dk; i++) {
        for (int j = 0; j < dv; j++) {
          next[i * dv + j] =
              keep * state[i * dv + j]
                  + problem.get(Input.K)[key + i] * problem.get(Input.V)[value + j];
          result.o()[value + j] += problem.get(Input.Q)[key + i] * next[i * dv + j];
        }
      }
      after[t] = next;
      state = next;
    }
    System.arraycopy(state, 0, result.finalState(), states, dk * dv);

    double[] gradient = new double[dk * dv];
    System.arraycopy(problem.get(Input.FINAL_GRADIENT), states, gradient, 0, dk * dv);
    for (int t = tokens - 1; t >= 0; t--) {
      int key = t * shape.keyColumns() + head * dk;
      int value = t * shape.valueColumns() + head * dv;
      double keep = documents.startOf(t) == t ? 0 : decay;
      for (int i = 0; i < dk; i++) {
        for (int j = 0; j < dv; j++) {
          int at = i * dv + j;
          gradient[at] +=
              problem.get(Input.Q)[key + i] * problem.get(Input.OUTPUT_GRADIENT)[value + j];
          result.dq()[key + i] += after[t][at] * problem.get(Input.OUTPUT_GRADIENT)[value + j];
          result.dk()[key + i] += gradient[at] * problem.get(Input.V)[value + j];
          result.dv()[value + j] += gradient[at] * problem.get(Input.K)[key + i];
          gradient[at] *= keep;
        }
      }
    }
    if (documents.continued() > 0 || tokens == 0) {
      System.arraycopy(gradient, 0, result.incomingGradient(), states, dk * dv);
    }
  }
}
