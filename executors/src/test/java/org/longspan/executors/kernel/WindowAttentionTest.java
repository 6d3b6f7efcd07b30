package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

class WindowAttentionTest {
  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,65", "65,64"})
  void shouldEqualSoftmaxAtAnyWidth(int keyWidth, int valueWidth) {
    assertEqualsReference(
        new AttentionShape(3, keyWidth, valueWidth), Documents.one(150, 0), 40, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "1,200",
    "2,2",
    "63,64",
    "64,64",
    "65,64",
    "128,65",
    "200,1",
    "200,7",
    "200,63",
    "200,64",
    "200,65",
    "200,129",
    "200,200",
    "200,5000",
    "300,2147483647"
  })
  void shouldEqualSoftmaxAtAnyLengthAndWindow(int tokens, int window) {
    assertEqualsReference(new AttentionShape(2, 8, 4), Documents.one(tokens, 0), window, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 30, 64, 100, 400})
  void shouldStopAtDocumentsAndReachOverRanks(int window) {
    Documents documents = new Documents(300, new int[] {0, 1, 40, 64, 150, 151, 290}, 0);
    AttentionShape shape = new AttentionShape(2, 7, 9);
    assertEqualsReference(shape, documents, window, 0);
    assertEqualsReference(shape, documents, window, 0, 150);
    assertEqualsReference(shape, documents, window, 0, 100, 120, 155, 230);
    assertEqualsReference(shape, documents, window, 20, 64, 64, 128, 256);
    assertEqualsReference(shape, Documents.one(300, 0), window, 0, 10, 20, 150, 299);
  }

  @Test
  void shouldGiveTheSameInPieces() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    Documents documents = new Documents(200, new int[] {77}, 3);
    try (Workers workers = new Workers(2);
        WindowAttention attention = Kernels.window(Precision.FLOAT, shape, 50, workers);
        Arena arena = new Arena("test", Precision.FLOAT)) {
      WindowReference reference = new WindowReference(3, shape, Documents.one(203, 0), 50);
      Matrix k = Matrices.filled(arena, reference.k, 0, 203, 16);
      Matrix v = Matrices.filled(arena, reference.v, 0, 203, 16);
      Matrix q = Matrices.filled(arena, reference.q, 3, 200, 16);
      Matrix whole = Matrices.poisoned(arena, 200, 16);
      Matrix pieces = Matrices.poisoned(arena, 200, 16);
      Matrix logSums = Matrices.poisoned(arena, 200, 2);
      attention.forward(q, k, v, documents, 0, 200, whole, logSums);
      attention.forward(q, k, v, documents, 49, 200, pieces, logSums);
      attention.forward(q, k, v, documents, 0, 49, pieces, logSums);
      attention.forward(q, k, v, documents, 49, 49, pieces, logSums);
      assertThat(Matrices.numbers(pieces)).isEqualTo(Matrices.numbers(whole));
    }
  }

  @Test
  void shouldNoticeMistakes() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    Documents documents = Documents.one(150, 0);
    WindowReference right = new WindowReference(1, shape, documents, 40);
    WindowReference wider = new WindowReference(1, shape, documents, 41);
    WindowReference cut =
        new WindowReference(1, shape, new Documents(150, new int[] {0, 75}, 0), 40);
    ranks(right, 40, 0, Precision.FLOAT).assertEqualReference();
    assertThatThrownBy(() -> ranks(wider, 40, 0, Precision.FLOAT).assertEqualReference())
        .isInstanceOf(AssertionError.class);
    assertThatThrownBy(() -> ranks(right, 39, 0, Precision.FLOAT).assertEqualReference(70))
        .isInstanceOf(AssertionError.class);
    assertThat(RankwiseError.distance(cut.o, right.o))
        .isGreaterThan(WindowRanks.bound(Precision.FLOAT));
  }

  private static void assertEqualsReference(
      AttentionShape shape, Documents documents, int window, int spareHalo, int... cuts) {
    WindowReference reference = new WindowReference(1, shape, documents, window);
    for (Precision precision : Precision.values()) {
      ranks(reference, window, spareHalo, precision).assertEqualReference(cuts);
    }
  }

  private static WindowRanks ranks(
      WindowReference reference, int window, int spareHalo, Precision precision) {
    return new WindowRanks(reference, window, spareHalo, precision, Seams.NONE);
  }
}
