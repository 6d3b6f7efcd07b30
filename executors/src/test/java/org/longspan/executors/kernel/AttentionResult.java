package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Precision;

/** What linear attention gives, with the state that comes in and the gradient of the one after. */
public final class AttentionResult {
  /** A part of a result. */
  public enum Part {
    O,
    DQ,
    DK,
    DV,
    DGATES,
    DBETA,
    FINAL_STATE,
    INCOMING_GRADIENT
  }

  /**
   * How far a result may be off, as a relative norm.
   *
   * @param gates of the gates' gradient, which is a sum of differences
   */
  public record Tolerance(double parts, double gates) {
    /** Against the recurrence in double. */
    public static Tolerance of(LinearRule rule, Precision precision) {
      return switch (precision) {
        case DOUBLE -> new Tolerance(1e-12, 1e-12);
        case FLOAT -> new Tolerance(rule == LinearRule.DELTA ? 3e-6 : 1e-6, 5e-6);
      };
    }
  }

  private final Map<Part, double[]> parts = new EnumMap<>(Part.class);

  void put(Part part, double[] numbers) {
    parts.put(part, numbers);
  }

  /** Without elements where the rule has no such part. */
  public double[] get(Part part) {
    return parts.get(part);
  }

  /** What ranks hold, side by side: the final state is the last's, its gradient the first's. */
  static AttentionResult joined(List<AttentionResult> ofRanks) {
    AttentionResult joined = new AttentionResult();
    for (Part part : Part.values()) {
      joined.put(
          part,
          switch (part) {
            case O, DQ, DK, DV, DGATES, DBETA ->
                ofRanks.stream()
                    .flatMapToDouble(result -> DoubleStream.of(result.get(part)))
                    .toArray();
            case FINAL_STATE -> ofRanks.get(ofRanks.size() - 1).get(part);
            case INCOMING_GRADIENT -> ofRanks.get(0).get(part);
          });
    }
    return joined;
  }

  /**
   * Each part is as expected, on all ranks together and on each of them.
   *
   * @param cuts ascending offsets at which a next rank's tokens start
   */
  public void assertEquals(
      AttentionResult expected, Tolerance tolerance, String name, int tokens, int... cuts) {
    for (Part part : Part.values()) {
      double bound = part == Part.DGATES ? tolerance.gates() : tolerance.parts();
      boolean isState = part == Part.FINAL_STATE || part == Part.INCOMING_GRADIENT;
      RankwiseError.assertWithin(
          bound,
          name + " " + part,
          get(part),
          expected.get(part),
          0,
          isState ? 0 : tokens,
          isState ? new int[0] : cuts);
    }
  }

  /** Every number has the same bits. */
  void assertSame(AttentionResult other, String name) {
    for (Part part : Part.values()) {
      assertThat(get(part)).as("%s %s", name, part).isEqualTo(other.get(part));
    }
  }
}
