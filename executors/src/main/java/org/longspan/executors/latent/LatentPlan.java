package org.longspan.executors.latent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.kernel.Documents;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.Slice;

/**
 * Which sequence rank attends for which tokens. In a causal sequence the last slice has nearly
 * twice the mean of the work; where work is shared, ranks with more than the mean give blocks of
 * queries to ranks with less, until the slowest one has {@value #ENOUGH} times the mean or no block
 * is left that helps. Every rank finds the same plan. Work is counted in pairs of a query and a key
 * that are multiplied, masked ones included.
 *
 * <p>Latents go round the ring, from each rank to the next one, as far as a rank needs them.
 *
 * <p>Immutable.
 */
public final class LatentPlan {
  /** Above the mean by so much, a rank is left with its work. */
  private static final double ENOUGH = 1.02;

  /** The most tokens of a block. */
  static final int LONGEST_BLOCK = 256;

  /** The fewest tokens of a block, but for the last one of a slice. */
  private static final int SHORTEST_BLOCK = 16;

  /** Blocks that the longest slice is to have at least, so that there is something to give. */
  private static final int BLOCKS = 16;

  private final List<Slice> slices;
  private final DocumentStarts documents;
  private final boolean reachesOtherSlices;
  private final int blockLength;
  private final List<QueryBlock> blocks;
  private final int[] farthest;

  /** How ranks go together. */
  public enum Sharing {
    /** Ranks with more than the mean of the work give some of it to others. */
    BALANCED,
    /** Each rank attends for its own tokens. */
    CONTIGUOUS,
    /** Likewise, and sees nothing of other slices. */
    CUT
  }

  private LatentPlan(
      List<Slice> slices, DocumentStarts documents, Sharing sharing, int blockLength) {
    this.slices = slices;
    this.documents = documents;
    this.reachesOtherSlices = sharing != Sharing.CUT;
    this.blockLength = blockLength;
    this.blocks = cut();
    if (sharing == Sharing.BALANCED) {
      balance();
    }
    this.farthest = new int[slices.size()];
    for (int slice = 0; slice < farthest.length; slice++) {
      for (int rank = 0; rank < farthest.length; rank++) {
        if (needs(rank, slice)) {
          farthest[slice] = Math.max(farthest[slice], distance(slice, rank));
        }
      }
    }
  }

  /**
   * The plan for one sequence. A collective of {@code sequence}.
   *
   * @param slices one for each rank of {@code sequence}, in order
   * @param documents of this rank's slice
   */
  public static LatentPlan gathered(
      Communicator sequence, List<Slice> slices, Documents documents, Sharing sharing) {
    return of(slices, DocumentStarts.gather(sequence, slices, documents), sharing);
  }

  /**
   * The plan by which each rank attends for its own tokens in blocks that are the same whoever
   * holds them. A collective of {@code sequence}.
   *
   * @param slices one for each rank of {@code sequence}, in order, which start at tiles' starts
   */
  public static LatentPlan onGrid(
      Communicator sequence, List<Slice> slices, Documents documents, int tile) {
    int pieces = (tile + LONGEST_BLOCK - 1) / LONGEST_BLOCK;
    while (tile % pieces != 0) {
      pieces++;
    }
    return new LatentPlan(
        List.copyOf(slices),
        DocumentStarts.gather(sequence, slices, documents),
        Sharing.CONTIGUOUS,
        tile / pieces);
  }

  /**
   * The plan by which each rank sees its own slice only; it knows the documents of one slice.
   *
   * @param first position of the slice that {@code documents} are of
   */
  public static LatentPlan cut(List<Slice> slices, long first, Documents documents) {
    return of(slices, DocumentStarts.of(first, documents), Sharing.CUT);
  }

  private static LatentPlan of(List<Slice> slices, DocumentStarts documents, Sharing sharing) {
    long longest = slices.stream().mapToLong(Slice::length).max().orElse(0);
    long wanted = (longest + BLOCKS - 1) / BLOCKS;
    int blockLength = (int) Math.max(SHORTEST_BLOCK, Math.min(LONGEST_BLOCK, wanted));
    return new LatentPlan(List.copyOf(slices), documents, sharing, blockLength);
  }

  private List<QueryBlock> cut() {
    List<QueryBlock> all = new ArrayList<>();
    for (int rank = 0; rank < slices.size(); rank++) {
      Slice slice = slices.get(rank);
      for (long first = slice.start(); first < slice.end(); first += blockLength) {
        int rows = (int) Math.min(blockLength, slice.end() - first);
        all.add(new QueryBlock(rank, rank, first, rows, lowest(first)));
      }
    }
    return all;
  }

  private void balance() {
    double[] loads = new double[slices.size()];
    for (QueryBlock block : blocks) {
      loads[block.worker()] += pairs(block);
    }
    double enough = ENOUGH * Arrays.stream(loads).sum() / loads.length;
    while (true) {
      int most = 0;
      int least = 0;
      for (int rank = 1; rank < loads.length; rank++) {
        most = loads[rank] > loads[most] ? rank : most;
        least = loads[rank] < loads[least] ? rank : least;
      }
      int given = loads[most] > enough ? best(most, (loads[most] - loads[least]) / 2) : -1;
      if (given < 0) {
        return;
      }
      double pairs = pairs(blocks.get(given));
      loads[most] -= pairs;
      loads[least] += pairs;
      blocks.set(given, blocks.get(given).by(least));
    }
  }

  /**
   * The block of {@code rank}'s own whose work is nearest to {@code wanted}, but below twice that,
   * so that the two ranks come nearer to each other; −1 for none.
   */
  private int best(int rank, double wanted) {
    int best = -1;
    double distance = wanted;
    for (int i = 0; i < blocks.size(); i++) {
      QueryBlock block = blocks.get(i);
      if (block.owner() == rank && block.worker() == rank) {
        double off = Math.abs(pairs(block) - wanted);
        if (off < distance) {
          best = i;
          distance = off;
        }
      }
    }
    return best;
  }

  /** Pairs of a query and a key that a block multiplies: all keys of blocks that it sees. */
  private long pairs(QueryBlock block) {
    long keys = 0;
    for (Slice slice : slices) {
      if (block.sees(slice.start(), slice.end())) {
        long from = Math.max(slice.start(), block.lowest());
        long firstBlock = (from - slice.start()) / blockLength * blockLength + slice.start();
        keys += Math.min(slice.end(), block.end()) - firstBlock;
      }
    }
    return keys * block.rows();
  }

  /** The first position that the token at {@code position} sees. */
  long lowest(long position) {
    long document = documents.startOf(position);
    if (reachesOtherSlices) {
      return document;
    }
    for (Slice slice : slices) {
      if (position >= slice.start() && position < slice.end()) {
        return Math.max(document, slice.start());
      }
    }
    throw new IllegalArgumentException("Position " + position + " lies in no slice");
  }

  /** Tokens of a block. */
  int blockLength() {
    return blockLength;
  }

  List<Slice> slices() {
    return slices;
  }

  int ranks() {
    return slices.size();
  }

  /** The blocks of {@code owner}'s tokens that {@code worker} attends for, in their order. */
  List<QueryBlock> blocks(int owner, int worker) {
    return blocks.stream()
        .filter(block -> block.owner() == owner && block.worker() == worker)
        .toList();
  }

  /** Whether any rank attends for another. */
  boolean isShared() {
    return blocks.stream().anyMatch(block -> block.owner() != block.worker());
  }

  /** Whether {@code rank} attends to any token of slice {@code slice}. */
  boolean needs(int rank, int slice) {
    Slice keys = slices.get(slice);
    return blocks.stream()
        .anyMatch(block -> block.worker() == rank && block.sees(keys.start(), keys.end()));
  }

  /** Whether the latents of slice {@code slice} come to {@code rank}, to use or to pass on. */
  boolean comesTo(int rank, int slice) {
    int distance = distance(slice, rank);
    return distance > 0 && distance <= farthest[slice];
  }

  private int distance(int slice, int rank) {
    return Math.floorMod(rank - slice, slices.size());
  }

  /** Pairs of a query and a key that {@code rank} multiplies for each head and group. */
  public long pairs(int rank) {
    return blocks.stream().filter(block -> block.worker() == rank).mapToLong(this::pairs).sum();
  }

  /** Tokens of other ranks that {@code rank} attends for. */
  public long taken(int rank) {
    return blocks.stream()
        .filter(block -> block.worker() == rank && block.owner() != rank)
        .mapToLong(QueryBlock::rows)
        .sum();
  }

  /** Tokens of {@code rank} that others attend for. */
  public long given(int rank) {
    return blocks.stream()
        .filter(block -> block.owner() == rank && block.worker() != rank)
        .mapToLong(QueryBlock::rows)
        .sum();
  }
}
