package org.longspan.executors.layer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.BlockFold;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.mesh.Slice;

/**
 * Sums rows over the tensor ranks, in place: the result is the same to the last bit on each of
 * them.
 *
 * <p>The slice is cut into strips of tiles, so that the sum of one is under way while the next is
 * worked on. Where results must not depend on the number of sequence ranks there is one strip, and
 * every number is summed over the tensor ranks in one order, wherever it lies; a ring's order
 * depends on that.
 *
 * <p>Traffic: a rank receives {@code 2(T−1)/T · n} bytes of n, T the tensor ranks, where they
 * divide the numbers of a strip.
 *
 * <p>Threading: the rank's own thread. Every tensor rank calls the same in the same order.
 */
final class TensorSums {
  private static final int STRIPS = 4;
  private static final long BYTES_AT_ONCE = 1L << 28;

  private final RankEnvironment environment;
  private final BlockFold fold;

  TensorSums(RankEnvironment environment) {
    this.environment = environment;
    this.fold = new BlockFold(environment.tensor(), 1);
    // To the fold each tensor rank is one block.
    fold.accept(
        IntStream.range(0, environment.tensor().size())
            .mapToObj(rank -> new Slice(rank, rank + 1L))
            .toList());
  }

  /** Starts to sum {@code rows}, a contiguous matrix. */
  Pending start(Matrix rows) {
    if (environment.tensor().size() == 1) {
      return Pending.DONE;
    }
    long rowBytes = (long) rows.columns() * rows.precision().bytes();
    long rowsAtOnce = Math.max(1, BYTES_AT_ONCE / rowBytes);
    List<Pending> parts = new ArrayList<>();
    for (long row = 0; row < rows.rows(); row += rowsAtOnce) {
      parts.add(start(rows.bytes(row, Math.min(rowsAtOnce, rows.rows() - row))));
    }
    return () -> parts.forEach(Pending::await);
  }

  private Pending start(ByteBuffer numbers) {
    return switch (environment.mode().reproducibility()) {
      case FAST -> environment.tensor().startAllReduce(numbers, environment.elementType());
      case BITWISE -> {
        List<BlockFold.Node> own = new ArrayList<>();
        own.add(new BlockFold.Node(0, environment.tensor().index(), numbers));
        fold.sum(own, environment.elementType(), numbers);
        yield Pending.DONE;
      }
    };
  }

  /** Stretches of whole tiles that are worked on one after another; none of a slice without any. */
  List<Span> strips() {
    int length = environment.input().length();
    int tile = environment.tile();
    int tiles = (length + tile - 1) / tile;
    int count =
        switch (environment.mode().reproducibility()) {
          case FAST -> Math.min(STRIPS, tiles);
          case BITWISE -> Math.min(1, tiles);
        };
    List<Span> strips = new ArrayList<>();
    for (int strip = 0; strip < count; strip++) {
      int from = tiles * strip / count * tile;
      int to = Math.min(length, tiles * (strip + 1) / count * tile);
      strips.add(new Span(from, to));
    }
    return strips;
  }

  /** Takes every tile through the stages; when it returns, the last one's sums are there too. */
  void forEachTile(List<Stage> stages) {
    List<Span> strips = strips();
    Pending[] sums = new Pending[strips.size()];
    Arrays.fill(sums, Pending.DONE);
    for (Stage stage : stages) {
      for (int strip = 0; strip < sums.length; strip++) {
        Span rows = strips.get(strip);
        sums[strip].await();
        environment.forEachTile(rows, stage.work());
        sums[strip] =
            stage.summed() == null
                ? Pending.DONE
                : start(stage.summed().rows(rows.from(), rows.to()));
      }
    }
    for (Pending sum : sums) {
      sum.await();
    }
  }
}
