package org.longspan.executors.kernel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.HaloGradients;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/**
 * Runs the inputs of a reference on ranks that are threads of this JVM: halos of keys and values
 * come from the left, their gradients go back. Matrices are views of columns; outputs hold NaN
 * before they are written.
 *
 * @param spareHalo rows of the halo beyond those that the window reaches
 * @param seams what stands between the ranks and what they compute with
 */
public record WindowRanks(
    WindowReference reference, int window, int spareHalo, Precision precision, Seams seams) {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);
  private static final int CHANNEL = 1;
  private static final int THREADS = 2;

  private enum Part {
    O,
    LOG_SUMS,
    DQ,
    DK,
    DV
  }

  /** How far a result may be off, as a relative norm. */
  public static double bound(Precision precision) {
    return switch (precision) {
      case DOUBLE -> 1e-12;
      case FLOAT -> 1e-6;
    };
  }

  /**
   * Every output and gradient is the reference's, on all ranks together and on each of them.
   *
   * @param cuts ascending offsets at which a next rank's slice starts
   */
  public void assertEqualReference(int... cuts) {
    assertEqual(
        Map.of(
            Part.O, reference.o,
            Part.LOG_SUMS, reference.logSums,
            Part.DQ, reference.dq,
            Part.DK, reference.dk,
            Part.DV, reference.dv),
        cuts);
  }

  /** Every output and gradient is what one rank computes in the same precision. */
  void assertEqualOneRank(int... cuts) {
    assertEqual(run(), cuts);
  }

  private void assertEqual(Map<Part, double[]> expected, int... cuts) {
    Map<Part, double[]> result = run(cuts);
    int tokens = reference.documents.tokens();
    double outputGradient = RankwiseError.norm(reference.outputGradient);
    expected.forEach(
        (part, numbers) -> {
          // Where each token sees only itself the gradients of scores are zero but for rounding.
          boolean isOfScores = part == Part.DQ || part == Part.DK;
          boolean isZero = isOfScores && RankwiseError.norm(numbers) < outputGradient * 1e-2;
          RankwiseError.assertWithin(
              bound(precision),
              precision + ", window " + window + ", cut at " + Arrays.toString(cuts) + ": " + part,
              result.get(part),
              numbers,
              isZero ? outputGradient : 0,
              tokens,
              cuts);
        });
  }

  private Map<Part, double[]> run(int... cuts) {
    int tokens = reference.documents.tokens();
    List<Slice> slices = new ArrayList<>();
    for (int rank = 0; rank <= cuts.length; rank++) {
      slices.add(
          new Slice(rank == 0 ? 0 : cuts[rank - 1], rank == cuts.length ? tokens : cuts[rank]));
    }
    List<Integer> everyone = IntStream.rangeClosed(0, cuts.length).boxed().toList();
    List<Map<Part, double[]>> ofRanks =
        LocalRanks.run(
            InProcessTransport.connect(slices.size(), TIME_LIMIT).stream()
                .map(seams::network)
                .toList(),
            transport -> {
              try (Communicator ranks = Communicator.over(transport, everyone, CHANNEL);
                  Workers workers = new Workers(THREADS);
                  Arena arena = new Arena("of rank " + transport.rank(), precision);
                  WindowAttention attention =
                      seams.window(
                          Kernels.window(
                              KernelChoice.CPU, precision, reference.shape, window, workers))) {
                return run(attention, ranks, slices, arena);
              }
            });
    Map<Part, double[]> joined = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      joined.put(
          part,
          ofRanks.stream().flatMapToDouble(result -> DoubleStream.of(result.get(part))).toArray());
    }
    return joined;
  }

  private Map<Part, double[]> run(
      WindowAttention attention, Communicator ranks, List<Slice> slices, Arena arena) {
    Slice slice = slices.get(ranks.index());
    int from = (int) slice.start();
    int length = (int) slice.length();
    int reach = (int) Math.min(window - 1L + spareHalo, reference.documents.tokens());
    HaloExchange exchange = new HaloExchange(ranks, slices, reach);
    int halo = exchange.length();
    int keys = reference.shape.keyColumns();
    int values = reference.shape.valueColumns();
    Documents documents = reference.documents.piece(from, from + length);
    Matrix q = Matrices.filled(arena, reference.q, from, length, keys);
    Matrix k = withHalo(arena, reference.k, slice, keys, exchange);
    Matrix v = withHalo(arena, reference.v, slice, values, exchange);
    Matrix outputGradient = Matrices.filled(arena, reference.outputGradient, from, length, values);
    Matrix o = Matrices.poisoned(arena, length, values);
    Matrix logSums = Matrices.poisoned(arena, length, reference.shape.heads());
    Matrix dq = Matrices.poisoned(arena, length, keys);
    Matrix dk = Matrices.poisoned(arena, halo + length, keys);
    Matrix dv = Matrices.poisoned(arena, halo + length, values);
    attention.forward(q, k, v, documents, 0, length, o, logSums);
    attention.backward(q, k, v, o, logSums, outputGradient, documents, dq, dk, dv);
    Map<Part, double[]> result = new EnumMap<>(Part.class);
    result.put(Part.O, Matrices.numbers(o));
    result.put(Part.LOG_SUMS, Matrices.numbers(logSums));
    result.put(Part.DQ, Matrices.numbers(dq));
    HaloGradients back =
        new HaloGradients(ranks, slices, reach, Math.max(1, reference.documents.tokens()));
    result.put(Part.DK, Matrices.numbers(withoutHalo(arena, dk, exchange, back)));
    result.put(Part.DV, Matrices.numbers(withoutHalo(arena, dv, exchange, back)));
    return result;
  }

  private ElementType type() {
    return switch (precision) {
      case FLOAT -> ElementType.FLOAT;
      case DOUBLE -> ElementType.DOUBLE;
    };
  }

  /** The slice's rows behind those of its halo. Exchanges take whole rows. */
  private Matrix withHalo(
      Arena arena, double[] numbers, Slice slice, int columns, HaloExchange exchange) {
    int length = (int) slice.length();
    Matrix own = Matrices.filled(arena, numbers, (int) slice.start(), length, columns);
    Matrix tail = arena.matrix(exchange.tailLength(), columns);
    tail.set(own.rows(length - exchange.tailLength(), length));
    Matrix halo = arena.matrix(exchange.length(), columns);
    exchange.fetch(tail.bytes(), columns * type().bytes(), halo.bytes());
    Matrix all = Matrices.poisoned(arena, exchange.length() + length, columns);
    all.rows(0, exchange.length()).set(halo);
    all.rows(exchange.length(), all.rows()).set(own);
    return all;
  }

  /** Gives the halo's rows of a gradient back; what is left, with what came from the right. */
  private Matrix withoutHalo(
      Arena arena, Matrix gradient, HaloExchange exchange, HaloGradients back) {
    int columns = gradient.columns();
    Matrix halo = arena.matrix(exchange.length(), columns);
    halo.set(gradient.rows(0, exchange.length()));
    Matrix own = gradient.rows(exchange.length(), gradient.rows());
    Matrix end = own.rows(own.rows() - exchange.tailLength(), own.rows());
    Matrix tail = arena.matrix(exchange.tailLength(), columns);
    tail.set(end);
    List<ByteBuffer> outer = halo.rows() == 0 ? List.of() : List.of(halo.bytes());
    back.giveBack(outer, type(), columns * type().bytes(), tail.bytes());
    end.set(tail);
    return own;
  }
}
