package org.longspan.executors.math;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Multiplies once through our products and once through ND4J, and counts the BLAS libraries in this
 * process.
 */
final class BlasProbe {
  private BlasProbe() {}

  public static void main(String[] arguments) throws IOException {
    try (Arena arena = new Arena("of the probe", Precision.FLOAT)) {
      Matrix one = arena.matrix(1, 1);
      one.put(0, 0, 3);
      Matrix product = arena.matrix(1, 1);
      Numerics.of(Precision.FLOAT).products().multiply(one, one, 0, product);
      if (product.get(0, 0) != 9 || Nd4j.eye(2).mmul(Nd4j.eye(2)).getDouble(0) != 1) {
        throw new IllegalStateException("A product is wrong");
      }
    }
    long packages =
        Files.readAllLines(Path.of("/proc/self/maps")).stream()
            .filter(line -> line.contains("libopenblas"))
            .map(line -> line.substring(line.indexOf('/'), line.lastIndexOf('/')))
            .distinct()
            .count();
    System.out.println("packages: " + packages);
  }
}
