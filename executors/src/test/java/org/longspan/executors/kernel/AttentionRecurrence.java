package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.layer.LinearRule;

/**
 * Linear attention token by token, as it is defined, in double: what every form must equal. With
 * {@code P = diag(a) S} a token writes {@code S' = P + β k rᵀ} and puts out {@code S'ᵀ q}, where
 * {@code r = v − Pᵀ k} by the delta rule and {@code r = v}, {@code β = 1} by the others; the
 * gradients follow from these lines.
 */
public final class AttentionRecurrence {
  private final AttentionCase problem;
  private final AttentionShape shape;
  private final int tokens;
  private final boolean isDelta;
  private final double[] q;
  private final double[] k;
  private final double[] v;
  private final double[] outputGradient;
  private final double[] o;
  private final double[] dq;
  private final double[] dk;
  private final double[] dv;
  private final double[] dgates;
  private final double[] dbeta;
  private final double[] finalState;
  private final double[] incomingGradient;

  private AttentionRecurrence(AttentionCase problem) {
    this.problem = problem;
    this.shape = problem.shape();
    this.tokens = problem.documents().tokens();
    this.isDelta = problem.rule() == LinearRule.DELTA;
    this.q = problem.get(Input.Q);
    this.k = problem.get(Input.K);
    this.v = problem.get(Input.V);
    this.outputGradient = problem.get(Input.OUTPUT_GRADIENT);
    this.o = new double[v.length];
    this.dq = new double[q.length];
    this.dk = new double[k.length];
    this.dv = new double[v.length];
    this.dgates = new double[problem.get(Input.GATES).length];
    this.dbeta = new double[problem.get(Input.BETA).length];
    this.finalState = new double[problem.get(Input.INCOMING).length];
    this.incomingGradient = new double[problem.get(Input.INCOMING).length];
  }

  public static AttentionResult of(AttentionCase problem) {
    AttentionRecurrence recurrence = new AttentionRecurrence(problem);
    for (int head = 0; head < problem.shape().heads(); head++) {
      recurrence.head(head);
    }
    return recurrence.result();
  }

  private AttentionResult result() {
    AttentionResult result = new AttentionResult();
    result.put(Part.O, o);
    result.put(Part.DQ, dq);
    result.put(Part.DK, dk);
    result.put(Part.DV, dv);
    result.put(Part.DGATES, dgates);
    result.put(Part.DBETA, dbeta);
    result.put(Part.FINAL_STATE, finalState);
    result.put(Part.INCOMING_GRADIENT, incomingGradient);
    return result;
  }

  private void head(int head) {
    boolean isReached = problem.documents().continued() > 0 || tokens == 0;
    int size = shape.keyWidth() * shape.valueWidth();
    double[][] before = new double[tokens][];
    double[][] residuals = new double[tokens][];
    double[] state = new double[size];
    if (isReached) {
      System.arraycopy(problem.get(Input.INCOMING), head * size, state, 0, size);
    }
    for (int t = 0; t < tokens; t++) {
      before[t] = decayed(state, head, t);
      residuals[t] = residual(before[t], head, t);
      state = after(before[t], residuals[t], head, t);
      read(state, head, t);
    }
    System.arraycopy(state, 0, finalState, head * size, size);

    double[] gradient = new double[size];
    System.arraycopy(problem.get(Input.FINAL_GRADIENT), head * size, gradient, 0, size);
    for (int t = tokens - 1; t >= 0; t--) {
      backward(before[t], residuals[t], gradient, head, t);
    }
    if (isReached) {
      System.arraycopy(gradient, 0, incomingGradient, head * size, size);
    }
  }

  /** Overwrites {@code gradient}, of the state after the token, with that of the state before. */
  private void backward(double[] decayed, double[] residual, double[] gradient, int head, int t) {
    int width = shape.valueWidth();
    int value = value(head, t);
    double beta = beta(head, t);
    double[] after = after(decayed, residual, head, t);
    double[] residualGradient = new double[width];
    for (int i = 0; i < shape.keyWidth(); i++) {
      int key = key(head, t) + i;
      for (int j = 0; j < width; j++) {
        int at = i * width + j;
        dq[key] += after[at] * outputGradient[value + j];
        gradient[at] += q[key] * outputGradient[value + j];
        dk[key] += beta * gradient[at] * residual[j];
        residualGradient[j] += beta * k[key] * gradient[at];
        if (isDelta) {
          dbeta[t * shape.heads() + head] += k[key] * gradient[at] * residual[j];
        }
      }
    }
    for (int i = 0; i < shape.keyWidth(); i++) {
      int key = key(head, t) + i;
      int row = head * shape.keyWidth() + i;
      double decay = decay(row, t);
      for (int j = 0; j < width; j++) {
        int at = i * width + j;
        if (isDelta) {
          dk[key] -= decayed[at] * residualGradient[j];
          gradient[at] -= k[key] * residualGradient[j];
        }
        if (dgates.length > 0) {
          int gate = t * problem.gateColumns() + problem.gatePlace(row);
          dgates[gate] += decayed[at] * gradient[at];
        }
        gradient[at] *= decay;
      }
    }
    System.arraycopy(residualGradient, 0, dv, value, width);
  }

  private double[] decayed(double[] state, int head, int t) {
    int width = shape.valueWidth();
    double[] decayed = new double[state.length];
    for (int i = 0; i < shape.keyWidth(); i++) {
      double decay = decay(head * shape.keyWidth() + i, t);
      for (int j = 0; j < width; j++) {
        decayed[i * width + j] = decay * state[i * width + j];
      }
    }
    return decayed;
  }

  private double[] residual(double[] decayed, int head, int t) {
    int width = shape.valueWidth();
    double[] residual = Arrays.copyOfRange(v, value(head, t), value(head, t) + width);
    for (int i = 0; i < shape.keyWidth() && isDelta; i++) {
      for (int j = 0; j < width; j++) {
        residual[j] -= decayed[i * width + j] * k[key(head, t) + i];
      }
    }
    return residual;
  }

  private double[] after(double[] decayed, double[] residual, int head, int t) {
    int width = shape.valueWidth();
    double beta = beta(head, t);
    double[] after = decayed.clone();
    for (int i = 0; i < shape.keyWidth(); i++) {
      for (int j = 0; j < width; j++) {
        after[i * width + j] += beta * k[key(head, t) + i] * residual[j];
      }
    }
    return after;
  }

  private void read(double[] state, int head, int t) {
    int width = shape.valueWidth();
    for (int i = 0; i < shape.keyWidth(); i++) {
      for (int j = 0; j < width; j++) {
        o[value(head, t) + j] += state[i * width + j] * q[key(head, t) + i];
      }
    }
  }

  private double decay(int row, int t) {
    return problem.documents().startOf(t) == t ? 0 : problem.decay(t, row);
  }

  private double beta(int head, int t) {
    return isDelta ? problem.get(Input.BETA)[t * shape.heads() + head] : 1;
  }

  private int key(int head, int t) {
    return t * shape.keyColumns() + head * shape.keyWidth();
  }

  private int value(int head, int t) {
    return t * shape.valueColumns() + head * shape.valueWidth();
  }
}
