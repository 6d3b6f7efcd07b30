package org.longspan.executors.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import org.longspan.executors.memory.Precision;

/** The numbers of a buffer, to be changed. */
final class PlainNumbers {
  private PlainNumbers() {}

  /** Changes the numbers from position to limit. */
  static void change(ByteBuffer buffer, Precision precision, Consumer<double[]> change) {
    ByteBuffer view = buffer.slice().order(ByteOrder.nativeOrder());
    double[] numbers = new double[view.remaining() / precision.bytes()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          switch (precision) {
            case FLOAT -> view.getFloat(i * Float.BYTES);
            case DOUBLE -> view.getDouble(i * Double.BYTES);
          };
    }
    change.accept(numbers);
    for (int i = 0; i < numbers.length; i++) {
      switch (precision) {
        case FLOAT -> view.putFloat(i * Float.BYTES, (float) numbers[i]);
        case DOUBLE -> view.putDouble(i * Double.BYTES, numbers[i]);
      }
    }
  }
}
