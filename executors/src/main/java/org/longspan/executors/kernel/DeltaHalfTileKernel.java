package org.longspan.executors.kernel;

/** {@link DeltaTileKernel} of what is kept in halves. */
final class DeltaHalfTileKernel extends DeltaTileKernel {
  DeltaHalfTileKernel(LinearRoom room) {
    super(room);
  }

  @Override
  float key(int index) {
    return widened(keySideHalves[index]);
  }

  @Override
  float value(int index) {
    return widened(valueSideHalves[index]);
  }

  @Override
  void writeKey(int index, float number) {
    keyOutputHalves[index] = (char) narrowed(number);
  }

  @Override
  void writeValue(int index, float number) {
    valueOutputHalves[index] = (char) narrowed(number);
  }
}
