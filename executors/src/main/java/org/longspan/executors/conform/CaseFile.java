package org.longspan.executors.conform;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/** The file of a case: its tensors, checked as they are read. */
record CaseFile(Path input, SafetensorsFile file, Arena arena) implements AutoCloseable {

  static CaseFile open(Path input, Arena arena) throws IOException {
    return new CaseFile(
        input,
        SafetensorsFile.open(new Configuration(), new org.apache.hadoop.fs.Path(input.toUri())),
        arena);
  }

  boolean contains(String tensor) {
    return file.contains(tensor);
  }

  /** The shape of a tensor that must be there and have {@code sides} sides. */
  List<Long> shape(String tensor, int sides) {
    List<Long> shape = file.shape(tensor);
    if (shape.size() != sides) {
      throw wrong(
          "tensor " + tensor + " has the shape " + shape + "; it takes " + sides + " sides");
    }
    return shape;
  }

  /**
   * Refuses a tensor of another shape.
   *
   * @param because what asks for the shape, in the words of a message
   */
  void require(String tensor, List<Long> expected, String because) {
    if (!file.shape(tensor).equals(expected)) {
      throw wrong(
          "tensor "
              + tensor
              + " has the shape "
              + file.shape(tensor)
              + "; "
              + because
              + " it takes "
              + expected);
    }
  }

  Matrix matrix(String tensor, int rows, int columns) throws IOException {
    Matrix matrix = arena.matrix(rows, columns);
    file.read(tensor, matrix);
    return matrix;
  }

  /** Where documents start; one from 0 on where the file does not say. */
  List<Integer> documents(int tokens) throws IOException {
    if (!file.contains("documents")) {
      return tokens == 0 ? List.of() : List.of(0);
    }
    long[] starts = file.readIntegers("documents");
    for (int i = 0; i < starts.length; i++) {
      boolean ascending = i == 0 ? starts[0] == 0 : starts[i] > starts[i - 1];
      if (!ascending || starts[i] >= tokens) {
        throw wrong(
            "documents "
                + Arrays.toString(starts)
                + " are to start with 0 and ascend below "
                + tokens
                + " tokens");
      }
    }
    if (starts.length == 0 && tokens > 0) {
      throw wrong("documents is empty; it takes at least the offset 0");
    }
    return Arrays.stream(starts).mapToObj(start -> (int) start).toList();
  }

  InvalidInputException wrong(String what) {
    return new InvalidInputException("File " + input + ": " + what + ".");
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
