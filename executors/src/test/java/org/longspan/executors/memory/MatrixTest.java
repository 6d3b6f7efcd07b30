package org.longspan.executors.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;

class MatrixTest {
  @Test
  void shouldRefuseAMessageOfAGibibyte() {
    try (Arena arena = new Arena("of the test", Precision.FLOAT)) {
      Matrix matrix = arena.matrix(3, 4);
      assertThat(matrix.bytes().remaining()).isEqualTo(48);
      assertThatThrownBy(() -> matrix.bytes(0, 1 << 26))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(
              "Ranks would exchange 1,073,741,824 bytes at once, 67,108,864 rows of 4 numbers, and"
                  + " a message has less than 1 GiB; cut the sequence over more ranks.");
      assertThatThrownBy(() -> matrix.bytes(0, (1 << 26) - 1))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }
}
