package org.longspan.datapipeline.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.Documents;

final class OutcomeTest {

  @Test
  void shouldTakeUtf8LongerThanItsScratch() {
    assertThat(Outcome.of(Documents.utf8("€😀x".repeat(9000)))).isEqualTo(Outcome.TEXT);
  }

  @Test
  void shouldRefuseInvalidUtf8() {
    assertThat(Outcome.of(new byte[] {'a', (byte) 0xC3, 'b'})).isEqualTo(Outcome.NOT_TEXT);
    assertThat(Outcome.of(new byte[] {(byte) 0xFF})).isEqualTo(Outcome.NOT_TEXT);
    assertThat(Outcome.of(new byte[] {(byte) 0xC0, (byte) 0x80})).isEqualTo(Outcome.NOT_TEXT);
  }

  @Test
  void shouldRefuseACharacterCutAtTheEnd() {
    byte[] cut = java.util.Arrays.copyOf(Documents.utf8("text€"), 6);
    assertThat(Outcome.of(cut)).isEqualTo(Outcome.NOT_TEXT);
  }

  @Test
  void shouldRefuseNul() {
    assertThat(Outcome.of(new byte[] {'a', 0, 'b'})).isEqualTo(Outcome.NOT_TEXT);
  }

  @Test
  void shouldCallNothingEmpty() {
    assertThat(Outcome.of(new byte[0])).isEqualTo(Outcome.EMPTY);
  }
}
