package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;

/**
 * What the gated delta rule gives, with the state that comes in and the gradient of the one after.
 */
final class DeltaResult {
  /** A part of a result. */
  enum Part {
    O,
    FINAL_STATE,
    DQ,
    DK,
    DV,
    DGATES,
    DBETA,
    INCOMING_GRADIENT
  }

  private final Map<Part, double[]> parts = new EnumMap<>(Part.class);

  void put(Part part, double[] numbers) {
    parts.put(part, numbers);
  }

  double[] get(Part part) {
    return parts.get(part);
  }

  /** Each part's error, as a norm relative to that of the expected part, is within its bound. */
  void assertEquals(DeltaResult expected, double bound, double gateBound, String name) {
    for (Part part : Part.values()) {
      assertThat(LinearResult.distance(get(part), expected.get(part)))
          .as("%s %s", name, part)
          .isLessThanOrEqualTo(part == Part.DGATES ? gateBound : bound);
    }
  }
}
