package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

/** What linear attention with gates gives: a {@link LinearResult} and the gates' gradient. */
final class GatedResult {
  private final LinearResult linear;
  private final double[] gates;

  GatedResult(LinearResult linear, double[] gates) {
    this.linear = linear;
    this.gates = gates;
  }

  LinearResult linear() {
    return linear;
  }

  double[] gates() {
    return gates;
  }

  /** Each part's error, as a norm relative to that of the expected part, is within its bound. */
  void assertEquals(GatedResult expected, double bound, double gateBound, String name) {
    linear.assertEquals(expected.linear, bound, name);
    assertThat(LinearResult.distance(gates, expected.gates))
        .as(name + " dgates")
        .isLessThanOrEqualTo(gateBound);
  }

  /** Every number has the same bits. */
  void assertSame(GatedResult other) {
    assertThat(linear.o()).isEqualTo(other.linear.o());
    assertThat(linear.finalState()).isEqualTo(other.linear.finalState());
    assertThat(linear.dq()).isEqualTo(other.linear.dq());
    assertThat(linear.dk()).isEqualTo(other.linear.dk());
    assertThat(linear.dv()).isEqualTo(other.linear.dv());
    assertThat(gates).isEqualTo(other.gates);
    assertThat(linear.incomingGradient()).isEqualTo(other.linear.incomingGradient());
  }
}
