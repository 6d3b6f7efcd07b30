package org.longspan.executors.checkpoint;

import java.util.Arrays;
import java.util.Optional;

/** The element types of safetensors files that Longspan reads and writes. */
enum TensorType {
  F32("F32", Float.BYTES),
  F64("F64", Double.BYTES),
  I32("I32", Integer.BYTES),
  I64("I64", Long.BYTES);

  private final String label;
  private final int bytes;

  TensorType(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  static Optional<TensorType> labelled(String label) {
    return Arrays.stream(values()).filter(type -> type.label.equals(label)).findFirst();
  }

  /** As it stands in a file's header. */
  String label() {
    return label;
  }

  int bytes() {
    return bytes;
  }
}
