package org.longspan.executors.latent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** Runs a latent attention on sequence ranks and tensor ranks, which are threads of this JVM. */
final class LatentRanks {
  private static final int TILE = 16;

  private final LatentCase given;
  private final Precision precision;
  private final int sequence;
  private final int tensor;
  private LatentPlan.Sharing sharing = LatentPlan.Sharing.BALANCED;
  private int threads = 1;
  private BiFunction<LatentShare, LatentPlace, LatentBlocks> blocks = LatentBlocks::of;

  /**
   * What came out, by one rank.
   *
   * @param rows of its slice, of u and dx
   * @param gradients of the whole weights, what this rank has of them
   */
  record Rank(
      int sequence,
      int tensor,
      LatentShare share,
      Slice slice,
      Map<String, double[][]> rows,
      Map<String, double[][]> gradients,
      long pairs,
      LatentPlan plan,
      long sequenceBytesForward,
      long sequenceBytesBackward,
      long tensorBytesForward,
      long tensorBytesBackward) {

    double[][] u() {
      return rows.get("u");
    }

    double[][] dx() {
      return rows.get("dx");
    }
  }

  LatentRanks(LatentCase given, Precision precision, int sequence, int tensor) {
    this.given = given;
    this.precision = precision;
    this.sequence = sequence;
    this.tensor = tensor;
  }

  LatentRanks sharing(LatentPlan.Sharing how) {
    sharing = how;
    return this;
  }

  LatentRanks computing(BiFunction<LatentShare, LatentPlace, LatentBlocks> how) {
    blocks = how;
    return this;
  }

  LatentRanks threads(int count) {
    threads = count;
    return this;
  }

  /** In order of the sequence, tensor ranks as neighbours. */
  List<Rank> run() {
    return LocalRanks.run(
        InProcessTransport.connect(sequence * tensor, Duration.ofSeconds(60)), this::rank);
  }

  private Rank rank(Transport transport) {
    int place = transport.rank() / tensor;
    int part = transport.rank() % tensor;
    List<Integer> ofSlice =
        IntStream.range(0, tensor).map(t -> place * tensor + t).boxed().toList();
    List<Integer> ofPart =
        IntStream.range(0, sequence).map(p -> p * tensor + part).boxed().toList();
    BlockGrid grid = new BlockGrid(given.tokens(), TILE);
    List<Slice> slices =
        IntStream.range(0, sequence).mapToObj(p -> grid.slice(p, sequence)).toList();
    try (Communicator sequences = Communicator.over(transport, ofPart, 1);
        Communicator tensors = Communicator.over(transport, ofSlice, 2);
        Workers workers = new Workers(threads);
        Arena arena = new Arena("of a rank", precision)) {
      LatentPlace where =
          new LatentPlace(
              sequences,
              tensors,
              Numerics.of(precision),
              workers,
              LatentMemory.of(arena),
              Math.toIntExact(slices.get(place).length()),
              TILE);
      return new Work(where, slices, arena).run(place, part);
    }
  }

  private final class Work {
    private final LatentPlace where;
    private final List<Slice> slices;
    private final Arena arena;

    Work(LatentPlace where, List<Slice> slices, Arena arena) {
      this.where = where;
      this.slices = slices;
      this.arena = arena;
    }

    private Matrix rows(double[][] all, Slice slice) {
      int length = Math.toIntExact(slice.length());
      Matrix rows = arena.matrix(length, given.shape().width());
      for (int row = 0; row < length; row++) {
        for (int column = 0; column < rows.columns(); column++) {
          rows.put(row, column, all[Math.toIntExact(slice.start()) + row][column]);
        }
      }
      return rows;
    }

    private Documents documents(Slice slice) {
      int[] starts =
          Arrays.stream(given.documents())
              .filter(start -> start >= slice.start() && start < slice.end())
              .map(start -> Math.toIntExact(start - slice.start()))
              .toArray();
      long before =
          slice.length() == 0
              ? 0
              : slice.start()
                  - Arrays.stream(given.documents())
                      .filter(start -> start <= slice.start())
                      .max()
                      .orElse(0);
      return new Documents(Math.toIntExact(slice.length()), starts, before);
    }

    Rank run(int place, int part) {
      LatentShape shape = given.shape();
      LatentWeights whole = LatentWeights.whole(shape, arena);
      whole.named().forEach((name, matrix) -> LatentCase.copy(given.weights().get(name), matrix));
      if (whole.estimates() != null) {
        LatentCase.copy(new double[][] {given.estimates()}, whole.estimates());
      }
      try (LatentAttention attention = new LatentAttention(shape, where, blocks)) {
        return run(place, part, attention, whole);
      }
    }

    private Rank run(int place, int part, LatentAttention attention, LatentWeights whole) {
      LatentShape shape = given.shape();
      Slice slice = slices.get(place);
      LatentWeights wholeGradients = LatentWeights.whole(shape, arena);
      LatentWeights weights = whole.of(attention.share());
      LatentWeights gradients = wholeGradients.of(attention.share());
      Matrix x = rows(given.x(), slice);
      Matrix du = rows(given.outputGradient(), slice);
      Matrix u = arena.matrix(slice.length(), shape.width());
      Matrix dx = arena.matrix(slice.length(), shape.width());
      LatentPlan plan = LatentPlan.gathered(where.sequence(), slices, documents(slice), sharing);
      attention.accept(plan);
      long sequenceStart = where.sequence().receivedBytes();
      tiles(x, first -> attention.project(first, tile(x, first), weights));
      attention.attend(weights);
      long sequenceMiddle = where.sequence().receivedBytes();
      long tensorMiddle = where.tensor().receivedBytes();
      tiles(x, first -> attention.join(first, tile(u, first), weights));
      where.tensor().allReduce(u.bytes(), where.elementType());
      // As a run does that computes again what it did not keep.
      tiles(x, first -> attention.project(first, tile(x, first), weights));
      attention.attendAgain(weights);
      long tensorJoined = where.tensor().receivedBytes();
      tiles(x, first -> attention.joinGradient(first, tile(du, first), weights, gradients));
      attention.attendGradient(weights, () -> gradients);
      tiles(
          x,
          first ->
              attention.projectGradient(
                  first, tile(x, first), tile(dx, first), weights, gradients));
      Map<String, double[][]> copies = new LinkedHashMap<>();
      wholeGradients.named().forEach((name, matrix) -> copies.put(name, LatentCase.copy(matrix)));
      return new Rank(
          place,
          part,
          attention.share(),
          slice,
          Map.of("u", LatentCase.copy(u), "dx", LatentCase.copy(dx)),
          copies,
          attention.pairs(),
          plan,
          sequenceMiddle - sequenceStart,
          where.sequence().receivedBytes() - sequenceMiddle,
          tensorMiddle,
          where.tensor().receivedBytes() - tensorJoined);
    }

    private Matrix tile(Matrix all, int first) {
      return all.rows(first, Math.min(all.rows(), first + TILE));
    }

    private void tiles(Matrix all, java.util.function.IntConsumer work) {
      for (int first = 0; first < all.rows(); first += TILE) {
        work.accept(first);
      }
    }
  }

  /** Rows of all slices as the tensor rank {@code tensor} has them. */
  static double[][] together(
      List<Rank> ranks, int tensor, java.util.function.Function<Rank, double[][]> rows) {
    List<double[]> all = new ArrayList<>();
    for (Rank rank : ranks) {
      if (rank.tensor() == tensor) {
        all.addAll(Arrays.asList(rows.apply(rank)));
      }
    }
    return all.toArray(double[][]::new);
  }

  /**
   * The gradient of weight {@code name} summed over the sequence, as each tensor rank comes to have
   * it: its own where each has the whole, else what all of them have together.
   */
  static List<double[][]> gradients(List<Rank> ranks, String name) {
    int tensors = ranks.stream().mapToInt(Rank::tensor).max().orElseThrow() + 1;
    LatentForm form = ranks.get(0).share().shape().form();
    boolean isComplete = LatentWeights.isCompleteOnEachRank(form, name);
    List<double[][]> sums = new ArrayList<>();
    for (int tensor = 0; tensor < (isComplete ? tensors : 1); tensor++) {
      double[][] sum = null;
      for (Rank rank : ranks) {
        if (!isComplete || rank.tensor() == tensor) {
          double[][] part = rank.gradients().get(name);
          sum = sum == null ? new double[part.length][part[0].length] : sum;
          for (int i = 0; i < sum.length; i++) {
            for (int j = 0; j < sum[i].length; j++) {
              sum[i][j] += part[i][j];
            }
          }
        }
      }
      sums.add(sum);
    }
    return sums;
  }
}
