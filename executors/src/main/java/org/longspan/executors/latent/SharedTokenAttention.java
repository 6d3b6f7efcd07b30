package org.longspan.executors.latent;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;

/**
 * Each of T tensor ranks keeps the latents of every T-th token, and attends to them for the heads
 * of all ranks; what they find is joined by the logarithms of their sums:
 *
 * <pre>
 *   m = max_r m_r    z = Σ_r exp(m_r − m) z_r / Σ_r exp(m_r − m) s_r
 * </pre>
 *
 * with the greatest score {@code m_r}, the weights' sum {@code s_r} and the weighted latents {@code
 * z_r} of rank r. This is exact.
 *
 * <p>Traffic for a token: a rank receives {@code (T−1)/T · heads · (rank + rope)} numbers of
 * queries, and {@code (T−1)/T · heads · (rank + 2)} of what the others found, whatever was read.
 */
final class SharedTokenAttention implements CacheAttention {
  private final Communicator tensor;
  private final LatentRows rows;
  private final int columns;
  private final int heads;
  private final CacheSoftmax softmax;
  private final Matrix allQueries;
  private final Matrix given;
  private final Matrix taken;

  SharedTokenAttention(LatentShare share, Numerics numerics, Arena arena, Communicator tensor) {
    this.tensor = tensor;
    this.rows = LatentRows.of(numerics.precision());
    this.columns = share.columns();
    this.heads = share.heads();
    int allHeads = share.shape().heads();
    this.softmax =
        new CacheSoftmax(
            allHeads,
            columns,
            1,
            numerics,
            arena,
            scores -> {
              // A rank has whole latents.
            });
    this.allQueries = arena.matrix(allHeads, share.latentWidth());
    this.given = arena.matrix(allHeads, columns + 2);
    this.taken = arena.matrix(allHeads, columns + 2);
  }

  @Override
  public boolean keeps(long position) {
    return position % tensor.size() == tensor.index();
  }

  @Override
  public void attend(LatentCache cache, Matrix queries, Matrix contexts) {
    tensor.allGather(queries.bytes(), allQueries.bytes());
    softmax.sweep(
        cache,
        allQueries,
        given.columns(0, columns),
        given.columns(columns, columns + 1),
        given.columns(columns + 1, columns + 2));
    tensor.allToAll(parts(given), parts(taken));
    contexts.zero();
    for (int head = 0; head < heads; head++) {
      join(head, contexts.rows(head, head + 1L));
    }
  }

  /** Of each rank, its heads' rows, or what it found for this rank's. */
  private List<ByteBuffer> parts(Matrix ofRanks) {
    return IntStream.range(0, tensor.size())
        .mapToObj(rank -> ofRanks.bytes((long) rank * heads, heads))
        .toList();
  }

  private void join(int head, Matrix context) {
    double maximum = Double.NEGATIVE_INFINITY;
    for (int rank = 0; rank < tensor.size(); rank++) {
      maximum = Math.max(maximum, found(rank, head).get(0, columns));
    }
    double sum = 0;
    for (int rank = 0; rank < tensor.size(); rank++) {
      Matrix found = found(rank, head);
      sum += Math.exp(found.get(0, columns) - maximum) * found.get(0, columns + 1);
    }
    for (int rank = 0; rank < tensor.size(); rank++) {
      Matrix found = found(rank, head);
      double share = Math.exp(found.get(0, columns) - maximum) / sum;
      rows.addScaled(share, found.columns(0, columns), context);
    }
  }

  private Matrix found(int rank, int head) {
    long row = (long) rank * heads + head;
    return taken.rows(row, row + 1);
  }
}
