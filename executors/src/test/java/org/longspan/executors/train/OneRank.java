package org.longspan.executors.train;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/**
 * Models of double precision on one rank of this JVM.
 *
 * @param tokens in the longest sequence
 * @param block of the grid on which sequences are cut
 */
record OneRank(int vocabulary, int tokens, int block) {

  /**
   * What {@code work} gives in a model.
   *
   * @param configuration its model and its training, YAML
   */
  <R> R in(String configuration, Function<RankSetup, R> work) {
    RunConfiguration parsed =
        RunConfiguration.parse(
            configuration + "\nkernel: cpu\nprecision: double", "test.yaml", Map.of());
    return LocalRanks.run(
            InProcessTransport.connect(1, Duration.ofSeconds(60)),
            transport -> {
              try (RankSetup setup =
                  new RankSetup(
                      parsed,
                      ModelShape.of(parsed, vocabulary),
                      new Mesh(1, 1, 1),
                      transport,
                      1,
                      tokens,
                      block)) {
                return work.apply(setup);
              }
            })
        .get(0);
  }

  /** The parameters of a model, to outlive it. */
  static Map<String, Matrix> copyOfParameters(RankSetup setup, Arena arena) {
    Map<String, Matrix> copies = new LinkedHashMap<>();
    setup
        .model()
        .parameters()
        .forEach(
            (name, values) -> {
              Matrix copy = arena.matrix(values.rows(), values.columns());
              copy.set(values);
              copies.put(name, copy);
            });
    return copies;
  }
}
