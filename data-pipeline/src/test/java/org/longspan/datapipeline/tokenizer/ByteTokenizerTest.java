package org.longspan.datapipeline.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.PrimitiveIterator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ByteTokenizerTest {
  private static final String TEXT = "añ€😀\n\u0001";

  private final Tokenizer tokenizer = new ByteTokenizer();

  @Test
  void shouldEncodeUtf8Bytes() {
    assertThat(tokenizer.encode("ñ")).containsExactly(0xC3, 0xB1);
  }

  @Test
  void shouldDecodeWhatItEncoded() {
    assertThat(tokenizer.decode(tokenizer.encode(TEXT))).isEqualTo(TEXT);
    assertThat(tokenizer.decode(tokenizer.encodeDocument(TEXT))).isEqualTo(TEXT);
  }

  @Test
  void shouldMarkBeginAndEndOfDocument() {
    assertThat(tokenizer.encodeDocument("ab")).containsExactly(256, 'a', 'b', 257);
  }

  @Test
  void shouldStreamTheSameDocument() {
    byte[] utf8 = TEXT.getBytes(StandardCharsets.UTF_8);
    IntStream.Builder streamed = IntStream.builder();
    PrimitiveIterator.OfInt tokens = tokenizer.document(utf8);
    while (tokens.hasNext()) {
      streamed.add(tokens.nextInt());
    }
    assertThat(streamed.build().toArray()).isEqualTo(tokenizer.encodeDocument(TEXT));
    assertThat(tokenizer.documentLength(utf8)).isEqualTo(tokenizer.encodeDocument(TEXT).length);
  }

  @Test
  void shouldReplaceAnIncompleteCharacter() {
    assertThat(tokenizer.decode(new int[] {'a', 0xE2, 0x82})).isEqualTo("a\uFFFD");
  }

  @Test
  void shouldRefuseTokenOutsideOfVocabulary() {
    assertThatThrownBy(() -> tokenizer.decode(new int[] {258}))
        .hasMessage("Token 258 is outside of the vocabulary of 258");
  }
}
