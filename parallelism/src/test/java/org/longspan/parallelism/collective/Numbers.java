package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Buffers of numbers for tests. */
final class Numbers {
  private Numbers() {}

  /** A direct buffer with a few bytes before and after what it shows. */
  static ByteBuffer buffer(ElementType type, double... values) {
    int bytes = values.length * type.bytes();
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes + 24).position(8).limit(8 + bytes).slice();
    buffer.order(ByteOrder.nativeOrder());
    for (int i = 0; i < values.length; i++) {
      switch (type) {
        case FLOAT -> buffer.putFloat(i * type.bytes(), (float) values[i]);
        case DOUBLE -> buffer.putDouble(i * type.bytes(), values[i]);
      }
    }
    return buffer;
  }

  static double[] values(ElementType type, ByteBuffer buffer) {
    ByteBuffer view = buffer.slice().order(ByteOrder.nativeOrder());
    double[] values = new double[view.limit() / type.bytes()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case FLOAT -> view.getFloat(i * type.bytes());
            case DOUBLE -> view.getDouble(i * type.bytes());
          };
    }
    return values;
  }

  static double[] random(int length, long seed) {
    return new Random(seed).doubles(length, -1, 1).toArray();
  }

  static double tolerance(ElementType type) {
    return switch (type) {
      case FLOAT -> 1e-6;
      case DOUBLE -> 1e-14;
    };
  }

  /** The norm of the difference over the norm of what is expected. */
  static double relativeError(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / norm);
  }

  /** The same numbers to within {@code tolerance}; NaN and infinities the same. */
  static void assertClose(double[] actual, double[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
        assertThat(actual[i]).as("Element " + i).isEqualTo(expected[i]);
      }
    }
  }
}
