package org.longspan.executors.kernel;

/** {@link DeltaTileKernel} of what is kept as floats. */
final class DeltaFloatTileKernel extends DeltaTileKernel {
  DeltaFloatTileKernel(LinearRoom room) {
    super(room);
  }

  @Override
  float key(int index) {
    return keySide[index];
  }

  @Override
  float value(int index) {
    return valueSide[index];
  }

  @Override
  void writeKey(int index, float number) {
    keyOutputs[index] = number;
  }

  @Override
  void writeValue(int index, float number) {
    valueOutputs[index] = number;
  }
}
