package org.longspan.datapipeline.prepare;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** What became of a file, an entry or a row. */
enum Outcome {
  /** It is a document. */
  TEXT,
  /** It is not UTF-8, or it contains NUL. */
  NOT_TEXT,
  /** It has no byte. */
  EMPTY,
  /** It has more than {@link #LARGEST_DOCUMENT} bytes. */
  TOO_LARGE;

  /** A document is one row, and Spark's rows end at 2 GiB. */
  static final int LARGEST_DOCUMENT = 1 << 29;

  private static final int CHARACTERS = 8192;

  /** Judges the bytes of a document. */
  static Outcome of(byte[] bytes) {
    if (bytes.length == 0) {
      return EMPTY;
    }
    if (bytes.length > LARGEST_DOCUMENT) {
      return TOO_LARGE;
    }
    for (byte value : bytes) {
      if (value == 0) {
        return NOT_TEXT;
      }
    }
    return decodes(bytes) ? TEXT : NOT_TEXT;
  }

  private static boolean decodes(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer scratch = CharBuffer.allocate(CHARACTERS);
    CoderResult result = CoderResult.OVERFLOW;
    while (result.isOverflow()) {
      scratch.clear();
      result = decoder.decode(in, scratch, true);
    }
    return !result.isError();
  }
}
