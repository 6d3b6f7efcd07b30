package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The one order in which the lanes of a vector are added up: its upper half to its lower half,
 * until one is left. The Vector API's own reduction promises no order, and so not the same sum from
 * interpreted and from compiled code.
 */
final class FloatFold {
  /**
   * Add the vector rearranged by each of them in turn; then every lane holds the sum. To be written
   * out where it is needed: a vector passed to a method may end up on the heap.
   */
  static final VectorShuffle<Float>[] FOLDS = folds(FloatVector.SPECIES_PREFERRED);

  private FloatFold() {}

  @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no arrays of a parameterised type.
  private static VectorShuffle<Float>[] folds(VectorSpecies<Float> lanes) {
    int count = Integer.numberOfTrailingZeros(lanes.length());
    VectorShuffle<Float>[] folds = new VectorShuffle[count];
    for (int i = 0; i < count; i++) {
      int distance = lanes.length() >> (i + 1);
      folds[i] = VectorShuffle.fromOp(lanes, lane -> lane ^ distance);
    }
    return folds;
  }
}
