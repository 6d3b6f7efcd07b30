package org.longspan.executors.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * Writes safetensors: eight bytes of the header's length, a JSON header, the tensors' bytes,
 * little-endian, one after another.
 *
 * <p>Threading: stateless.
 */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;
  private static final int BUFFER = 1 << 20;

  private SafetensorsWriter() {}

  /** Writes {@code tensors} in order, with {@code metadata}; leaves the stream open. */
  public static void write(
      OutputStream out, List<NamedTensor> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode values = header.putObject("__metadata__");
      metadata.forEach(values::put);
    }
    long offset = 0;
    for (NamedTensor tensor : tensors) {
      long bytes = tensor.size() * tensor.precision().bytes();
      ObjectNode entry = header.putObject(tensor.name());
      entry.put("dtype", type(tensor.precision()).label());
      ArrayNode shape = entry.putArray("shape");
      tensor.shape().forEach(shape::add);
      entry.putArray("data_offsets").add(offset).add(offset + bytes);
      offset += bytes;
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    int padding = (ALIGNMENT - json.length % ALIGNMENT) % ALIGNMENT;
    out.write(
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong((long) json.length + padding)
            .array());
    out.write(json);
    out.write(" ".repeat(padding).getBytes(StandardCharsets.UTF_8));
    byte[] buffer = new byte[BUFFER];
    for (NamedTensor tensor : tensors) {
      write(out, tensor.values(), buffer);
    }
  }

  private static TensorType type(Precision precision) {
    return switch (precision) {
      case FLOAT -> TensorType.F32;
      case DOUBLE -> TensorType.F64;
    };
  }

  private static void write(OutputStream out, Matrix values, byte[] buffer) throws IOException {
    long rowBytes = (long) values.columns() * values.precision().bytes();
    long rowsAtOnce = Math.max(1, (1 << 28) / Math.max(1, rowBytes));
    for (long row = 0; row < values.rows(); row += rowsAtOnce) {
      // The platforms that natives are packaged for are little-endian, as the format is.
      ByteBuffer bytes = values.bytes(row, Math.min(rowsAtOnce, values.rows() - row));
      while (bytes.hasRemaining()) {
        int length = Math.min(buffer.length, bytes.remaining());
        bytes.get(buffer, 0, length);
        out.write(buffer, 0, length);
      }
    }
  }
}
