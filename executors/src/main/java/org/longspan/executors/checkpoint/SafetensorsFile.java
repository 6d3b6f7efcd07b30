package org.longspan.executors.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.memory.Matrix;

/**
 * A safetensors file that is read a tensor at a time; numbers are converted to the precision of the
 * matrix that they are read into. What is wrong with a file is an {@link InvalidInputException}
 * that names it.
 *
 * <p>Threading: one thread.
 */
public final class SafetensorsFile implements AutoCloseable {
  private static final long LONGEST_HEADER = 100_000_000;
  private static final int BUFFER = 1 << 20;

  private record Entry(TensorType type, List<Long> shape, long start, long end) {
    long size() {
      return (end - start) / type.bytes();
    }
  }

  private final String name;
  private final FSDataInputStream in;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsFile(String name, FSDataInputStream in) {
    this.name = name;
    this.in = in;
  }

  /** Opens {@code path} and checks its header against its length. */
  public static SafetensorsFile open(Configuration hadoop, Path path) throws IOException {
    FileSystem files = path.getFileSystem(hadoop);
    long length;
    try {
      length = files.getFileStatus(path).getLen();
    } catch (FileNotFoundException e) {
      throw new InvalidInputException("There is no file " + path + ".", e);
    }
    SafetensorsFile file = new SafetensorsFile(path.toString(), files.open(path));
    try {
      file.readHeader(length);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
    return file;
  }

  private void readHeader(long length) throws IOException {
    if (length < Long.BYTES) {
      throw wrong("it has only " + length + " bytes");
    }
    byte[] prefix = new byte[Long.BYTES];
    in.readFully(0, prefix);
    long headerLength = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (headerLength < 2 || headerLength > LONGEST_HEADER || Long.BYTES + headerLength > length) {
      throw wrong("its header would have " + headerLength + " bytes of " + length);
    }
    byte[] json = new byte[(int) headerLength];
    in.readFully(Long.BYTES, json);
    JsonNode header;
    try {
      header = new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw wrong("its header is not JSON");
    }
    long data = Long.BYTES + headerLength;
    for (Map.Entry<String, JsonNode> field : header.properties()) {
      if (field.getKey().equals("__metadata__")) {
        for (Map.Entry<String, JsonNode> value : field.getValue().properties()) {
          metadata.put(value.getKey(), value.getValue().asText());
        }
      } else {
        entries.put(field.getKey(), entry(field.getKey(), field.getValue(), data, length));
      }
    }
  }

  private Entry entry(String tensor, JsonNode node, long data, long length) {
    String label = node.path("dtype").asText();
    TensorType type =
        TensorType.labelled(label)
            .orElseThrow(
                () ->
                    wrong(
                        "tensor "
                            + tensor
                            + " has the type "
                            + label
                            + "; F32, F64, I32 and I64 are read"));
    List<Long> shape = new ArrayList<>();
    long size = 1;
    for (JsonNode side : node.path("shape")) {
      shape.add(side.asLong());
      size = Math.multiplyExact(size, side.asLong());
    }
    long start = data + node.path("data_offsets").path(0).asLong(-1);
    long end = data + node.path("data_offsets").path(1).asLong(-1);
    if (start < data || end > length || end - start != size * type.bytes()) {
      throw wrong(
          "tensor "
              + tensor
              + " of shape "
              + shape
              + " lies from byte "
              + start
              + " to "
              + end
              + " of "
              + length
              + "; the file may be cut off");
    }
    return new Entry(type, List.copyOf(shape), start, end);
  }

  private InvalidInputException wrong(String what) {
    return new InvalidInputException(
        "File " + name + " is not a whole safetensors file: " + what + ".");
  }

  /** The tensors' names, in the header's order. */
  public Set<String> names() {
    return entries.keySet();
  }

  public boolean contains(String tensor) {
    return entries.containsKey(tensor);
  }

  public Map<String, String> metadata() {
    return metadata;
  }

  /** The shape of {@code tensor}, which must be there. */
  public List<Long> shape(String tensor) {
    return require(tensor).shape();
  }

  private Entry require(String tensor) {
    Entry entry = entries.get(tensor);
    if (entry == null) {
      throw new InvalidInputException(
          "File " + name + " has no tensor " + tensor + "; it has " + entries.keySet() + ".");
    }
    return entry;
  }

  /** Reads of {@code tensor} what {@code shape} says is held here into {@code into}. */
  public void read(String tensor, ParameterShape shape, Matrix into) throws IOException {
    if (!shape.split()) {
      read(tensor, into);
      return;
    }
    int wholeRows = shape.rowSide().whole();
    int wholeColumns = shape.columnSide().whole();
    Entry entry = require(tensor, wholeRows, wholeColumns);
    NumberReader numbers = new NumberReader(entry);
    int[] rows = shape.rowSide().numbers();
    int[] columns = shape.columnSide().numbers();
    double[] row = new double[wholeColumns];
    int held = 0;
    for (int number = 0; number < wholeRows && held < rows.length; number++) {
      for (int column = 0; column < wholeColumns; column++) {
        row[column] = numbers.next();
      }
      if (rows[held] == number) {
        for (int column = 0; column < columns.length; column++) {
          into.put(held, column, row[columns[column]]);
        }
        held++;
      }
    }
  }

  private Entry require(String tensor, long rows, long columns) {
    Entry entry = require(tensor);
    if (entry.size() != rows * columns) {
      throw new InvalidInputException(
          "Tensor "
              + tensor
              + " of file "
              + name
              + " has the shape "
              + entry.shape()
              + ", which does not fit ["
              + rows
              + ", "
              + columns
              + "].");
    }
    return entry;
  }

  /** Reads {@code tensor} into {@code into}, which has as many numbers, row by row. */
  public void read(String tensor, Matrix into) throws IOException {
    Entry entry = require(tensor, into.rows(), into.columns());
    NumberReader numbers = new NumberReader(entry);
    for (long row = 0; row < into.rows(); row++) {
      for (int column = 0; column < into.columns(); column++) {
        into.put(row, column, numbers.next());
      }
    }
  }

  /** The numbers of {@code tensor}, of an integer type. */
  public long[] readIntegers(String tensor) throws IOException {
    Entry entry = require(tensor);
    if (entry.type() != TensorType.I64 && entry.type() != TensorType.I32) {
      throw new InvalidInputException(
          "Tensor " + tensor + " of file " + name + " is to be I64, not " + entry.type() + ".");
    }
    NumberReader numbers = new NumberReader(entry);
    long[] values = new long[Math.toIntExact(entry.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers.nextInteger();
    }
    return values;
  }

  /** Numbers of one tensor, one after another, a buffer at a time. */
  private final class NumberReader {
    private final Entry entry;
    private final byte[] bytes = new byte[BUFFER];
    private final ByteBuffer buffer =
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long position;

    NumberReader(Entry entry) {
      this.entry = entry;
      this.position = entry.start();
    }

    private void fill() throws IOException {
      if (!buffer.hasRemaining()) {
        int length = (int) Math.min(BUFFER, entry.end() - position);
        in.readFully(position, bytes, 0, length);
        position += length;
        buffer.clear().limit(length);
      }
    }

    double next() throws IOException {
      fill();
      return switch (entry.type()) {
        case F32 -> buffer.getFloat();
        case F64 -> buffer.getDouble();
        case I32 -> buffer.getInt();
        case I64 -> buffer.getLong();
      };
    }

    long nextInteger() throws IOException {
      fill();
      return switch (entry.type()) {
        case F32, F64 -> throw new IllegalStateException("Not an integer type: " + entry.type());
        case I32 -> buffer.getInt();
        case I64 -> buffer.getLong();
      };
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
