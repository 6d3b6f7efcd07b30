package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Nothing but multiplications and additions, to measure how many a processor does.
 *
 * <p>Threading: stateless.
 */
public final class FloatMultiplyAdd {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int SUMS = 10;

  private FloatMultiplyAdd() {}

  /** Multiplications and additions in {@code steps} steps, both counted. */
  public static double operations(int steps) {
    return 2.0 * SUMS * SPECIES.length() * steps;
  }

  /** Does {@code steps} steps; the result only keeps the compiler from leaving them out. */
  public static float run(float factor, float added, int steps) {
    FloatVector a = FloatVector.broadcast(SPECIES, factor);
    FloatVector b = FloatVector.broadcast(SPECIES, added);
    FloatVector s0 = b;
    FloatVector s1 = a;
    FloatVector s2 = b.add(a);
    FloatVector s3 = b.sub(a);
    FloatVector s4 = b.mul(a);
    FloatVector s5 = b.neg();
    FloatVector s6 = a.neg();
    FloatVector s7 = s2.mul(a);
    FloatVector s8 = s3.mul(a);
    FloatVector s9 = s4.mul(a);
    for (int step = 0; step < steps; step++) {
      s0 = s0.fma(a, b);
      s1 = s1.fma(a, b);
      s2 = s2.fma(a, b);
      s3 = s3.fma(a, b);
      s4 = s4.fma(a, b);
      s5 = s5.fma(a, b);
      s6 = s6.fma(a, b);
      s7 = s7.fma(a, b);
      s8 = s8.fma(a, b);
      s9 = s9.fma(a, b);
    }
    FloatVector sum = s0.add(s1).add(s2).add(s3).add(s4).add(s5).add(s6).add(s7).add(s8).add(s9);
    return sum.lane(0);
  }
}
