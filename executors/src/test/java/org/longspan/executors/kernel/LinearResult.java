package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

/** What linear attention gives, with the state that comes in and the gradient of the one after. */
final class LinearResult {
  private final double[] o;
  private final double[] finalState;
  private final double[] dq;
  private final double[] dk;
  private final double[] dv;
  private final double[] incomingGradient;

  LinearResult(
      double[] o,
      double[] finalState,
      double[] dq,
      double[] dk,
      double[] dv,
      double[] incomingGradient) {
    this.o = o;
    this.finalState = finalState;
    this.dq = dq;
    this.dk = dk;
    this.dv = dv;
    this.incomingGradient = incomingGradient;
  }

  double[] o() {
    return o;
  }

  double[] finalState() {
    return finalState;
  }

  double[] dq() {
    return dq;
  }

  double[] dk() {
    return dk;
  }

  double[] dv() {
    return dv;
  }

  double[] incomingGradient() {
    return incomingGradient;
  }

  /** Each part's error, as a norm relative to that of the expected part, is within the bound. */
  void assertEquals(LinearResult expected, double bound, String name) {
    assertPart(name + " o", o, expected.o, bound);
    assertPart(name + " final state", finalState, expected.finalState, bound);
    assertPart(name + " dq", dq, expected.dq, bound);
    assertPart(name + " dk", dk, expected.dk, bound);
    assertPart(name + " dv", dv, expected.dv, bound);
    assertPart(name + " d incoming", incomingGradient, expected.incomingGradient, bound);
  }

  private static void assertPart(String name, double[] actual, double[] expected, double bound) {
    assertThat(distance(actual, expected)).as(name).isLessThanOrEqualTo(bound);
  }

  /** {@code ‖x − y‖ / ‖y‖}; NaN where x holds one, which no bound admits. */
  static double distance(double[] x, double[] y) {
    assertThat(x).hasSameSizeAs(y);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < x.length; i++) {
      difference += (x[i] - y[i]) * (x[i] - y[i]);
      norm += y[i] * y[i];
    }
    return norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
  }
}
