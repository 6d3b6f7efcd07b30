package org.longspan.executors.layer;

import java.util.HashMap;
import java.util.Map;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.HaloExchange;

/**
 * What the layers of one rank share: arithmetic, threads, memory, the ranks beside it, and the
 * slice being worked on.
 *
 * <p>Threading: one thread works with it, and lends the workers to the layers.
 */
public final class RankEnvironment implements AutoCloseable {
  private final Numerics numerics;
  private final Workers workers;
  private final Communicator sequence;
  private final KernelChoice kernel;
  private final int capacity;
  private final int tile;
  private final Arena arena;
  private final Map<String, Matrix> shared = new HashMap<>();
  private SliceInput input;

  /**
   * @param sequence the ranks that share a sequence with this one
   * @param capacity tokens in the longest slice that this rank will get
   * @param tile tokens that a worker takes through the products at a time
   */
  public RankEnvironment(
      Numerics numerics,
      Workers workers,
      Communicator sequence,
      KernelChoice kernel,
      int capacity,
      int tile) {
    this.numerics = numerics;
    this.workers = workers;
    this.sequence = sequence;
    this.kernel = kernel;
    this.capacity = capacity;
    this.tile = tile;
    this.arena = new Arena("of sequence rank " + sequence.index(), numerics.precision());
  }

  public Numerics numerics() {
    return numerics;
  }

  public Workers workers() {
    return workers;
  }

  public Communicator sequence() {
    return sequence;
  }

  public KernelChoice kernel() {
    return kernel;
  }

  /** Tokens in the longest slice. */
  public int capacity() {
    return capacity;
  }

  /** Tokens in a tile. */
  public int tile() {
    return tile;
  }

  public Arena arena() {
    return arena;
  }

  /** The slice being worked on. */
  public SliceInput input() {
    return input;
  }

  /** Goes on to another slice, of at most {@link #capacity} tokens. */
  public void accept(SliceInput next) {
    if (next.length() > capacity) {
      throw new IllegalArgumentException(
          next.length() + " tokens for a rank made for " + capacity + " at most");
    }
    input = next;
  }

  /** How numbers travel. */
  public ElementType elementType() {
    return switch (numerics.precision()) {
      case FLOAT -> ElementType.FLOAT;
      case DOUBLE -> ElementType.DOUBLE;
    };
  }

  /**
   * Scratch that layers of the same kind use one after another; nothing in it outlives a layer's
   * turn.
   */
  public Matrix shared(String name, long rows, int columns) {
    return shared.computeIfAbsent(
        name + " " + rows + " " + columns, key -> arena.matrix(rows, columns));
  }

  /**
   * Scratch of {@code columns} columns for a tile at a time of each worker, shared like {@link
   * #shared}.
   */
  public TileScratch tileScratch(String name, int columns) {
    return tileScratch(name, tile, columns);
  }

  /** Likewise, for pieces of {@code rows} rows. */
  public TileScratch tileScratch(String name, int rows, int columns) {
    Matrix[] ofWorker = new Matrix[workers.threads()];
    for (int worker = 0; worker < ofWorker.length; worker++) {
      ofWorker[worker] = shared("tile of worker " + worker + " " + name, rows, columns);
    }
    return new TileScratch(ofWorker);
  }

  /** The exchange of the rows just before each slice, {@code reach} at most. */
  public HaloExchange halo(int reach) {
    return new HaloExchange(sequence, input.slices(), reach);
  }

  /** Work on one tile. */
  @FunctionalInterface
  public interface TileWork {
    /** Rows {@code [first, first + rows)} of the slice, by {@code worker}. */
    void accept(int worker, int first, int rows);
  }

  /**
   * Takes every tile of the slice; a worker gets neighbouring tiles in order, always the same ones.
   */
  public void forEachTile(TileWork work) {
    forEachTile(input.length(), tile, work);
  }

  /** Likewise for {@code length} rows in tiles of {@code rows}. */
  public void forEachTile(int length, int rows, TileWork work) {
    int tiles = (length + rows - 1) / rows;
    int threads = workers.threads();
    workers.forEach(
        threads,
        worker -> {
          for (int t = tiles * worker / threads; t < tiles * (worker + 1) / threads; t++) {
            work.accept(worker, t * rows, Math.min(rows, length - t * rows));
          }
        });
  }

  @Override
  public void close() {
    arena.close();
  }
}
