package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.longspan.parallelism.transport.MessageLabel.Kind;

class MessageLabelTest {
  @Test
  void shouldSayKindAndNumber() {
    assertThat(MessageLabel.words(MessageLabel.of(Kind.ALL_REDUCE, 17))).isEqualTo("all-reduce 17");
    assertThat(MessageLabel.words(MessageLabel.of(Kind.LASP2_BACKWARD, 0)))
        .isEqualTo("lasp2 backward 0");
  }

  @Test
  void shouldSayWhichMessageOfSeveralItIs() {
    assertThat(MessageLabel.words(MessageLabel.of(Kind.ALL_REDUCE, 17, 0)))
        .isEqualTo("all-reduce 17 (message 1)");
    assertThat(MessageLabel.words(MessageLabel.of(Kind.ALL_REDUCE, 17, 4094)))
        .isEqualTo("all-reduce 17 (message 4095)");
    assertThat(MessageLabel.of(Kind.ALL_REDUCE, 17, 4095))
        .isEqualTo(MessageLabel.of(Kind.ALL_REDUCE, 17, 0));
  }

  @Test
  void shouldTakeNumbersModulo12Bits() {
    assertThat(MessageLabel.words(MessageLabel.of(Kind.SEND, (1L << 40) + (1 << 12) - 1)))
        .isEqualTo("send 4095");
    assertThat(MessageLabel.of(Kind.SEND, 1 << 12)).isEqualTo(MessageLabel.of(Kind.SEND, 0));
  }

  @Test
  void shouldKnowTheNextNumber() {
    assertThat(MessageLabel.next(MessageLabel.of(Kind.ALL_REDUCE, 17, 3)))
        .isEqualTo(MessageLabel.of(Kind.ALL_REDUCE, 18, 3));
    assertThat(MessageLabel.next(MessageLabel.of(Kind.ALL_REDUCE, 4095)))
        .isEqualTo(MessageLabel.of(Kind.ALL_REDUCE, 0));
  }

  @Test
  void shouldGiveEveryKindLabelsOfItsOwn() {
    assertThat(Arrays.stream(Kind.values()).map(kind -> MessageLabel.of(kind, 0)))
        .doesNotHaveDuplicates()
        .doesNotContain(0);
  }

  @Test
  void shouldHaveWordsForLabelsOfNoKind() {
    assertThat(MessageLabel.words(0xff000001)).isEqualTo("label 0xff000001");
  }
}
