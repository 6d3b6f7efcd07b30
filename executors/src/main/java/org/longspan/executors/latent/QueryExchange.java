package org.longspan.executors.latent;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.mesh.Slice;

/**
 * Brings rows of queries to the ranks that attend for them, and what these make of them back. Rows
 * of one matrix go at a time; the rows taken lie one after another, by owner and position.
 *
 * <p>Received: the rows that a rank takes from others, or on the way back those that it gave.
 */
final class QueryExchange {
  private final LatentPlace place;
  private final LatentPlan plan;
  private final int me;
  private final long start;

  QueryExchange(LatentPlace place, LatentPlan plan) {
    this.place = place;
    this.plan = plan;
    this.me = place.sequence().index();
    Slice own = plan.slices().get(me);
    this.start = own.start();
  }

  /** Rows that this rank takes. */
  int takenRows() {
    return Math.toIntExact(plan.taken(me));
  }

  /**
   * Starts to give away the rows of {@code own}, {@code [tokens, …]}, that others attend for, and
   * to take theirs into {@code taken}. Both belong to it until the result has been awaited.
   */
  Pending toWorkers(String name, Matrix own, Matrix taken) {
    if (!plan.isShared()) {
      return Pending.DONE;
    }
    Matrix given = room(name, plan.given(me), own.columns());
    copyGiven(own, given, true);
    return place.sequence().startAllToAll(givenParts(given), takenParts(taken));
  }

  /** Gives the rows of {@code taken} back to their owners, into {@code own}. */
  void toOwners(String name, Matrix taken, Matrix own) {
    if (!plan.isShared()) {
      return;
    }
    Matrix given = room(name, plan.given(me), own.columns());
    place.sequence().allToAll(takenParts(taken), givenParts(given));
    copyGiven(own, given, false);
  }

  private void copyGiven(Matrix own, Matrix given, boolean isPacking) {
    long at = 0;
    for (int worker = 0; worker < plan.ranks(); worker++) {
      if (worker == me) {
        continue;
      }
      for (QueryBlock block : plan.blocks(me, worker)) {
        long first = block.first() - start;
        Matrix rows = own.rows(first, first + block.rows());
        Matrix packed = given.rows(at, at + block.rows());
        if (isPacking) {
          packed.set(rows);
        } else {
          rows.set(packed);
        }
        at += block.rows();
      }
    }
  }

  private List<ByteBuffer> givenParts(Matrix given) {
    return parts(given, worker -> plan.blocks(me, worker));
  }

  private List<ByteBuffer> takenParts(Matrix taken) {
    return parts(taken, owner -> plan.blocks(owner, me));
  }

  /** The rows of each other rank, one after another. */
  private List<ByteBuffer> parts(Matrix all, IntFunction<List<QueryBlock>> blocksOf) {
    List<ByteBuffer> parts = new ArrayList<>();
    long at = 0;
    for (int other = 0; other < plan.ranks(); other++) {
      long rows = other == me ? 0 : rows(blocksOf.apply(other));
      parts.add(all.bytes(at, rows));
      at += rows;
    }
    return parts;
  }

  private static long rows(List<QueryBlock> blocks) {
    return blocks.stream().mapToLong(QueryBlock::rows).sum();
  }

  private Matrix room(String name, long rows, int columns) {
    return LatentRoom.of(place.memory(), "latent given " + name, rows, columns);
  }
}
