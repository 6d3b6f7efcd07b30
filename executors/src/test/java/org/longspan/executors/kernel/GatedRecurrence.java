package org.longspan.executors.kernel;

import org.longspan.executors.kernel.LinearCase.Input;

/** Linear attention with gates token by token, as it is defined, in double. */
final class GatedRecurrence {
  private GatedRecurrence() {}

  static GatedResult of(GatedCase problem) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    GatedResult result =
        new GatedResult(
            new LinearResult(
                new double[tokens * shape.valueColumns()],
                new double[shape.keyColumns() * shape.valueWidth()],
                new double[tokens * shape.keyColumns()],
                new double[tokens * shape.keyColumns()],
                new double[tokens * shape.valueColumns()],
                new double[shape.keyColumns() * shape.valueWidth()]),
            new double[problem.gates().length]);
    for (int column = 0; column < shape.keyColumns(); column++) {
      keyColumn(problem, column, result);
    }
    return result;
  }

  /** Row {@code column} of the states, which meets no other row. */
  private static void keyColumn(GatedCase problem, int column, GatedResult result) {
    AttentionShape shape = problem.shape();
    Documents documents = problem.documents();
    LinearResult linear = result.linear();
    int tokens = documents.tokens();
    int dv = shape.valueWidth();
    int head = column / shape.keyWidth();
    boolean isReached = documents.continued() > 0 || tokens == 0;
    double[][] states = new double[tokens + 1][dv];
    if (isReached) {
      System.arraycopy(problem.get(Input.INCOMING), column * dv, states[0], 0, dv);
    }
    for (int t = 0; t < tokens; t++) {
      double k = problem.get(Input.K)[t * shape.keyColumns() + column];
      double q = problem.get(Input.Q)[t * shape.keyColumns() + column];
      int value = t * shape.valueColumns() + head * dv;
      for (int j = 0; j < dv; j++) {
        states[t + 1][j] =
            decay(problem, t, column) * states[t][j] + k * problem.get(Input.V)[value + j];
        linear.o()[value + j] += q * states[t + 1][j];
      }
    }
    System.arraycopy(states[tokens], 0, linear.finalState(), column * dv, dv);

    double[] gradient = new double[dv];
    System.arraycopy(problem.get(Input.FINAL_GRADIENT), column * dv, gradient, 0, dv);
    for (int t = tokens - 1; t >= 0; t--) {
      int key = t * shape.keyColumns() + column;
      int value = t * shape.valueColumns() + head * dv;
      int gateColumns = problem.gateWidth().columns(shape);
      int gate = t * gateColumns + (gateColumns == shape.heads() ? head : column);
      double decay = decay(problem, t, column);
      for (int j = 0; j < dv; j++) {
        double outputGradient = problem.get(Input.OUTPUT_GRADIENT)[value + j];
        gradient[j] += problem.get(Input.Q)[key] * outputGradient;
        linear.dq()[key] += states[t + 1][j] * outputGradient;
        linear.dk()[key] += gradient[j] * problem.get(Input.V)[value + j];
        linear.dv()[value + j] += gradient[j] * problem.get(Input.K)[key];
        gradient[j] *= decay;
        result.gates()[gate] += gradient[j] * states[t][j];
      }
    }
    if (isReached) {
      System.arraycopy(gradient, 0, linear.incomingGradient(), column * dv, dv);
    }
  }

  private static double decay(GatedCase problem, int token, int column) {
    return problem.documents().startOf(token) == token ? 0 : Math.exp(problem.gate(token, column));
  }
}
