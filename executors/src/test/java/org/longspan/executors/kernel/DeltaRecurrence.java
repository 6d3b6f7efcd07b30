package org.longspan.executors.kernel;

import org.longspan.executors.kernel.DeltaCase.Input;
import org.longspan.executors.kernel.DeltaResult.Part;

/**
 * The gated delta rule token by token, as it is defined, in double: what every form must equal.
 * With {@code P = exp(g) S} a token reads {@code r = v − Pᵀ k}, writes {@code S' = P + β k rᵀ} and
 * puts out {@code S'ᵀ q}; its gradients follow from these three lines.
 */
final class DeltaRecurrence {
  private final DeltaCase problem;
  private final AttentionShape shape;
  private final int tokens;
  private final DeltaResult result = new DeltaResult();

  private DeltaRecurrence(DeltaCase problem) {
    this.problem = problem;
    this.shape = problem.shape();
    this.tokens = problem.documents().tokens();
    result.put(Part.O, new double[tokens * shape.valueColumns()]);
    result.put(Part.FINAL_STATE, new double[shape.keyColumns() * shape.valueWidth()]);
    result.put(Part.DQ, new double[tokens * shape.keyColumns()]);
    result.put(Part.DK, new double[tokens * shape.keyColumns()]);
    result.put(Part.DV, new double[tokens * shape.valueColumns()]);
    result.put(Part.DGATES, new double[tokens * shape.heads()]);
    result.put(Part.DBETA, new double[tokens * shape.heads()]);
    result.put(Part.INCOMING_GRADIENT, new double[shape.keyColumns() * shape.valueWidth()]);
  }

  static DeltaResult of(DeltaCase problem) {
    DeltaRecurrence recurrence = new DeltaRecurrence(problem);
    for (int head = 0; head < problem.shape().heads(); head++) {
      recurrence.head(head);
    }
    return recurrence.result;
  }

  private void head(int head) {
    Documents documents = problem.documents();
    boolean isReached = documents.continued() > 0 || tokens == 0;
    int size = shape.keyWidth() * shape.valueWidth();
    double[][] decayed = new double[tokens][];
    double[][] residuals = new double[tokens][];
    double[] state = new double[size];
    if (isReached) {
      System.arraycopy(problem.get(Input.INCOMING), head * size, state, 0, size);
    }
    for (int t = 0; t < tokens; t++) {
      decayed[t] = decayed(state, head, t);
      residuals[t] = residual(decayed[t], head, t);
      state = after(decayed[t], residuals[t], head, t);
      read(state, head, t);
    }
    System.arraycopy(state, 0, result.get(Part.FINAL_STATE), head * size, size);

    double[] gradient = new double[size];
    System.arraycopy(problem.get(Input.FINAL_GRADIENT), head * size, gradient, 0, size);
    for (int t = tokens - 1; t >= 0; t--) {
      backward(decayed[t], residuals[t], gradient, head, t);
    }
    if (isReached) {
      System.arraycopy(gradient, 0, result.get(Part.INCOMING_GRADIENT), head * size, size);
    }
  }

  /** Overwrites {@code gradient}, of the state after the token, with that of the state before. */
  private void backward(double[] decayed, double[] residual, double[] gradient, int head, int t) {
    int dk = shape.keyWidth();
    int dv = shape.valueWidth();
    int key = key(head, t);
    int value = value(head, t);
    double beta = problem.get(Input.BETA)[token(head, t)];
    double[] after = after(decayed, residual, head, t);
    double[] residualGradient = new double[dv];
    for (int i = 0; i < dk; i++) {
      double k = problem.get(Input.K)[key + i];
      for (int j = 0; j < dv; j++) {
        int at = i * dv + j;
        double output = problem.get(Input.OUTPUT_GRADIENT)[value + j];
        result.get(Part.DQ)[key + i] += after[at] * output;
        gradient[at] += problem.get(Input.Q)[key + i] * output;
        result.get(Part.DBETA)[token(head, t)] += k * gradient[at] * residual[j];
        result.get(Part.DK)[key + i] += beta * gradient[at] * residual[j];
        residualGradient[j] += beta * k * gradient[at];
      }
    }
    double decay = decay(head, t);
    for (int i = 0; i < dk; i++) {
      double k = problem.get(Input.K)[key + i];
      for (int j = 0; j < dv; j++) {
        int at = i * dv + j;
        result.get(Part.DK)[key + i] -= decayed[at] * residualGradient[j];
        gradient[at] -= k * residualGradient[j];
        result.get(Part.DGATES)[token(head, t)] += decayed[at] * gradient[at];
        gradient[at] *= decay;
      }
    }
    System.arraycopy(residualGradient, 0, result.get(Part.DV), value, dv);
  }

  private double[] decayed(double[] state, int head, int t) {
    double decay = decay(head, t);
    double[] decayed = new double[state.length];
    for (int at = 0; at < state.length; at++) {
      decayed[at] = decay * state[at];
    }
    return decayed;
  }

  private double[] residual(double[] decayed, int head, int t) {
    int dv = shape.valueWidth();
    double[] residual = new double[dv];
    for (int j = 0; j < dv; j++) {
      residual[j] = problem.get(Input.V)[value(head, t) + j];
      for (int i = 0; i < shape.keyWidth(); i++) {
        residual[j] -= decayed[i * dv + j] * problem.get(Input.K)[key(head, t) + i];
      }
    }
    return residual;
  }

  private double[] after(double[] decayed, double[] residual, int head, int t) {
    int dv = shape.valueWidth();
    double beta = problem.get(Input.BETA)[token(head, t)];
    double[] after = decayed.clone();
    for (int i = 0; i < shape.keyWidth(); i++) {
      for (int j = 0; j < dv; j++) {
        after[i * dv + j] += beta * problem.get(Input.K)[key(head, t) + i] * residual[j];
      }
    }
    return after;
  }

  private void read(double[] state, int head, int t) {
    int dv = shape.valueWidth();
    for (int i = 0; i < shape.keyWidth(); i++) {
      for (int j = 0; j < dv; j++) {
        result.get(Part.O)[value(head, t) + j] +=
            state[i * dv + j] * problem.get(Input.Q)[key(head, t) + i];
      }
    }
  }

  private double decay(int head, int t) {
    boolean isStart = problem.documents().startOf(t) == t;
    return isStart ? 0 : Math.exp(problem.get(Input.GATES)[token(head, t)]);
  }

  private int token(int head, int t) {
    return t * shape.heads() + head;
  }

  private int key(int head, int t) {
    return t * shape.keyColumns() + head * shape.keyWidth();
  }

  private int value(int head, int t) {
    return t * shape.valueColumns() + head * shape.valueWidth();
  }
}
