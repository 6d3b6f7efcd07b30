package org.longspan.executors.crosscheck;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.longspan.executors.checkpoint.NamedTensor;
import org.longspan.executors.checkpoint.SafetensorsWriter;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** A safetensors file in the making; every number in it is a double, token ids too. */
final class BatchFile implements AutoCloseable {
  private final Arena arena = new Arena("of the batch file", Precision.DOUBLE);
  private final List<NamedTensor> tensors = new ArrayList<>();

  /** Adds a vector. */
  void add(String name, double... numbers) {
    tensors.add(
        new NamedTensor(
            name,
            List.of((long) numbers.length),
            matrix(List.<double[]>of(numbers), numbers.length)));
  }

  /** Adds a matrix of {@code columns} columns. */
  void add(String name, List<double[]> rows, int columns) {
    tensors.add(NamedTensor.of(name, matrix(rows, columns)));
  }

  private Matrix matrix(List<double[]> rows, int columns) {
    Matrix matrix = arena.matrix(rows.size(), columns);
    for (int row = 0; row < rows.size(); row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, rows.get(row)[column]);
      }
    }
    return matrix;
  }

  void write(Path path, Map<String, String> metadata) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path))) {
      SafetensorsWriter.write(out, tensors, metadata);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
