package org.longspan.datapipeline.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;

/** Ids 0 to 255 are the bytes of UTF-8, 256 begins a document and 257 ends it. */
public final class ByteTokenizer implements Tokenizer {
  private static final long serialVersionUID = 1L;
  private static final int BYTES = 256;
  private static final int BEGIN = 256;
  private static final int END = 257;
  private static final int VOCABULARY = 258;

  @Override
  public String name() {
    return "bytes";
  }

  @Override
  public int vocabulary() {
    return VOCABULARY;
  }

  @Override
  public int beginOfDocument() {
    return BEGIN;
  }

  @Override
  public int endOfDocument() {
    return END;
  }

  @Override
  public PrimitiveIterator.OfInt document(byte[] utf8) {
    return new DocumentTokens(utf8);
  }

  @Override
  public long documentLength(byte[] utf8) {
    return utf8.length + 2L;
  }

  @Override
  public int[] encode(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int[] tokens = new int[utf8.length];
    for (int i = 0; i < utf8.length; i++) {
      tokens[i] = Byte.toUnsignedInt(utf8[i]);
    }
    return tokens;
  }

  @Override
  public String decode(int[] tokens) {
    ByteArrayOutputStream utf8 = new ByteArrayOutputStream(tokens.length);
    for (int token : tokens) {
      if (token < 0 || token >= VOCABULARY) {
        throw new IllegalArgumentException(
            "Token " + token + " is outside of the vocabulary of " + VOCABULARY);
      }
      if (token < BYTES) {
        utf8.write(token);
      }
    }
    return utf8.toString(StandardCharsets.UTF_8);
  }

  private static final class DocumentTokens implements PrimitiveIterator.OfInt {
    private final byte[] utf8;
    private int next = -1;

    DocumentTokens(byte[] utf8) {
      this.utf8 = utf8;
    }

    @Override
    public boolean hasNext() {
      return next <= utf8.length;
    }

    @Override
    public int nextInt() {
      int at = next;
      if (at > utf8.length) {
        throw new NoSuchElementException("The document of " + utf8.length + " bytes is over");
      }
      next++;
      if (at < 0) {
        return BEGIN;
      }
      return at < utf8.length ? Byte.toUnsignedInt(utf8[at]) : END;
    }
  }
}
