package org.longspan.executors.conform;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.longspan.executors.checkpoint.NamedTensor;
import org.longspan.executors.checkpoint.SafetensorsWriter;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;

/**
 * Runs one mixer's core, forward and backward, over ranks that are threads of this process, with
 * the kernels and collectives that training uses. Nothing is added: no activation, norm, gate,
 * scale or rotary position.
 */
public final class Conform {
  private static final Duration TIME_LIMIT = Duration.ofMinutes(2);
  private static final int CHANNEL = 1;

  private Conform() {}

  /** What a rank works on: its slice of the case, and where its rows of the results go. */
  record Part(
      ConformOptions options, ConformCase given, Results results, List<Slice> slices, int place) {
    Slice slice() {
      return slices.get(place);
    }

    Matrix own(Matrix whole) {
      return whole.rows(slice().start(), slice().end());
    }

    LinearTensors own(LinearTensors whole) {
      return whole.rows(slice().start(), slice().end());
    }

    /**
     * Documents of the slice; with an initial state the first one goes on from before the first
     * token.
     */
    Documents documents() {
      return Conform.documents(given.documents(), slice(), given.initialState() == null ? 0 : 1);
    }
  }

  /**
   * Documents of a slice.
   *
   * @param all where those of the whole sequence start
   * @param earlier tokens of the first one before the sequence
   */
  static Documents documents(List<Integer> all, Slice slice, int earlier) {
    int from = Math.toIntExact(slice.start());
    int to = Math.toIntExact(slice.end());
    List<Integer> starts = new ArrayList<>();
    long before = from == to ? 0 : (long) from + earlier;
    for (int start : all) {
      if (start == 0 && earlier == 1) {
        continue;
      }
      if (start >= from && start < to) {
        starts.add(start - from);
      }
      if (start <= from && from < to) {
        before = (long) from - start;
      }
    }
    return new Documents(to - from, starts.stream().mapToInt(Integer::intValue).toArray(), before);
  }

  /** The tensors that come out. */
  record Results(Matrix o, LinearTensors gradients, Matrix finalState, Matrix initialGradient) {}

  /** Reads the case, runs it, writes the results. */
  public static void run(ConformOptions options) throws IOException {
    switch (options.mixer()) {
      case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA, LOCAL -> runCore(options);
      case LATENT -> LatentConform.run(options);
    }
  }

  private static void runCore(ConformOptions options) throws IOException {
    try (Arena arena = new Arena("of the case", options.precision())) {
      ConformCase given = ConformCase.read(options.input(), options.mixer(), arena);
      AttentionShape shape = given.shape();
      int keys = shape.keyColumns();
      int values = shape.heads() * shape.valueWidth();
      Results results =
          new Results(
              arena.matrix(given.tokens(), values),
              like(given.inputs(), arena),
              arena.matrix(keys, shape.valueWidth()),
              arena.matrix(keys, shape.valueWidth()));
      BlockGrid grid = new BlockGrid(given.tokens(), options.chunk());
      List<Slice> slices =
          IntStream.range(0, options.ranks())
              .mapToObj(place -> grid.slice(place, options.ranks()))
              .toList();
      LocalRanks.run(
          transports(options),
          transport -> {
            Part part = new Part(options, given, results, slices, transport.rank());
            List<Integer> everyone = IntStream.range(0, options.ranks()).boxed().toList();
            try (Communicator ranks = Communicator.over(transport, everyone, CHANNEL);
                Workers workers = new Workers(1);
                Arena own = new Arena("of rank " + transport.rank(), options.precision())) {
              switch (options.mixer()) {
                case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA ->
                    LinearConform.run(part, ranks, workers, own);
                case LOCAL -> WindowConform.run(part, ranks, workers, own);
                case LATENT -> throw new IllegalStateException("Latent attention runs apart");
              }
            }
            return null;
          });
      write(options, given, results);
    }
  }

  private static LinearTensors like(LinearTensors inputs, Arena arena) {
    return new LinearTensors(
        like(inputs.q(), arena),
        like(inputs.k(), arena),
        like(inputs.v(), arena),
        inputs.gates() == null ? null : like(inputs.gates(), arena),
        inputs.beta() == null ? null : like(inputs.beta(), arena));
  }

  private static Matrix like(Matrix matrix, Arena arena) {
    return arena.matrix(matrix.rows(), matrix.columns());
  }

  /** One for each rank, the tensor ranks of a slice being neighbours. */
  static List<Transport> transports(ConformOptions options) {
    int ranks = Math.multiplyExact(options.ranks(), options.tensor());
    return switch (options.transport()) {
      case LOCAL -> InProcessTransport.connect(ranks, TIME_LIMIT);
      case NETWORK -> NetworkTransport.loopback(ranks, TIME_LIMIT, Protection.ENCRYPTED);
    };
  }

  private static void write(ConformOptions options, ConformCase given, Results results)
      throws IOException {
    long tokens = given.tokens();
    long heads = given.shape().heads();
    List<Long> keys = List.of(tokens, heads, (long) given.shape().keyWidth());
    List<Long> values = List.of(tokens, heads, (long) given.shape().valueWidth());
    List<Long> state =
        List.of(heads, (long) given.shape().keyWidth(), (long) given.shape().valueWidth());
    List<NamedTensor> tensors = new ArrayList<>();
    tensors.add(new NamedTensor("o", values, results.o()));
    tensors.add(new NamedTensor("dq", keys, results.gradients().q()));
    tensors.add(new NamedTensor("dk", keys, results.gradients().k()));
    tensors.add(new NamedTensor("dv", values, results.gradients().v()));
    switch (options.mixer()) {
      case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA -> {
        if (results.gradients().gates() != null) {
          tensors.add(new NamedTensor("dg", given.gateShape(), results.gradients().gates()));
        }
        if (results.gradients().beta() != null) {
          tensors.add(new NamedTensor("dbeta", List.of(tokens, heads), results.gradients().beta()));
        }
        tensors.add(new NamedTensor("final_state", state, results.finalState()));
        if (given.initialState() != null) {
          tensors.add(new NamedTensor("d_initial_state", state, results.initialGradient()));
        }
      }
      case LOCAL, LATENT -> {
        // They have no state.
      }
    }
    write(options, tensors, Map.of());
  }

  /** Writes the results and, as metadata, how they came about. */
  static void write(ConformOptions options, List<NamedTensor> tensors, Map<String, String> more)
      throws IOException {
    Path folder = options.output().toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("mixer", options.mixer().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    metadata.put("ranks", Integer.toString(options.ranks()));
    metadata.putAll(more);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(options.output()))) {
      SafetensorsWriter.write(out, tensors, metadata);
    }
  }
}
