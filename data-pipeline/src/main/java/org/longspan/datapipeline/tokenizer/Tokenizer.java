package org.longspan.datapipeline.tokenizer;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.PrimitiveIterator;

/**
 * A reversible map between text and token ids in {@code [0, vocabulary)}. A document's ids are
 * {@link #beginOfDocument()}, the ids of its text, {@link #endOfDocument()}.
 *
 * <p>Implementations are immutable and may be used by several threads.
 */
public interface Tokenizer extends Serializable {

  /** The name that a manifest records; equal names mean equal ids for equal text. */
  String name();

  /** The number of different ids, the marks of documents included. */
  int vocabulary();

  /** The id that opens a document. */
  int beginOfDocument();

  /** The id that closes a document. */
  int endOfDocument();

  /** The ids of a document, both marks included, one at a time. */
  PrimitiveIterator.OfInt document(byte[] utf8);

  /** The ids of {@code text} without marks, as a prompt's continuation needs them. */
  int[] encode(String text);

  /** The text of ids; marks are left out and incomplete characters become U+FFFD. */
  String decode(int[] tokens);

  /** The ids of a document, both marks included. */
  default int[] encodeDocument(String text) {
    int[] inner = encode(text);
    int[] tokens = new int[inner.length + 2];
    tokens[0] = beginOfDocument();
    System.arraycopy(inner, 0, tokens, 1, inner.length);
    tokens[tokens.length - 1] = endOfDocument();
    return tokens;
  }

  /** The number of ids of a document, both marks included. */
  default long documentLength(byte[] utf8) {
    return encodeDocument(new String(utf8, StandardCharsets.UTF_8)).length;
  }
}
