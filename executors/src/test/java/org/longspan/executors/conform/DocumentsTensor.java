package org.longspan.executors.conform;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Adds where documents start to a file of a case. The writer writes floating-point tensors only, so
 * that this goes in by hand, as another program would write it.
 */
public final class DocumentsTensor {
  private DocumentsTensor() {}

  /** Adds the tensor {@code documents} of whole numbers to the file {@code input}. */
  public static void add(Path input, int... documents) throws IOException {
    byte[] bytes = Files.readAllBytes(input);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    String header = new String(bytes, 8, length, StandardCharsets.UTF_8).strip();
    int data = bytes.length - 8 - length;
    int added = Long.BYTES * documents.length;
    String entry =
        ",\"documents\":{\"dtype\":\"I64\",\"shape\":["
            + documents.length
            + "],\"data_offsets\":["
            + data
            + ","
            + (data + added)
            + "]}}";
    byte[] changed =
        (header.substring(0, header.length() - 1) + entry).getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(Long.BYTES + changed.length + data + added)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(changed.length).put(changed).put(bytes, 8 + length, data);
    for (int start : documents) {
      out.putLong(start);
    }
    Files.write(input, out.array());
  }
}
