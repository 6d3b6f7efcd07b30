package org.longspan.executors.layer;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.LatentPlan;
import org.longspan.executors.latent.LatentPlan.Sharing;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.BlockFold;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.HaloGradients;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.TransitionKind;

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
  private final Communicator tensor;
  private final RankMode mode;
  private final int capacity;
  private final int tile;
  private final Arena arena;
  private final Map<String, Matrix> shared = new HashMap<>();
  private LatentWatch latentWatch;
  private SliceInput input;
  private long step = -1;
  private List<Piece> pieces = List.of();
  private LatentPlan latentPlan;
  private final BlockFold blockFold;
  private final TensorSums tensorSums;

  /**
   * @param sequence the ranks that share a sequence with this one
   * @param tensor the ranks that share this one's slice, each with a share of the model
   * @param capacity tokens in the longest slice that this rank will get
   * @param tile tokens that a worker takes through the products at a time: a block of the grid
   */
  public RankEnvironment(
      Numerics numerics,
      Workers workers,
      Communicator sequence,
      Communicator tensor,
      RankMode mode,
      int capacity,
      int tile) {
    this(
        numerics,
        workers,
        sequence,
        tensor,
        mode,
        capacity,
        tile,
        new Arena("of sequence rank " + sequence.index(), numerics.precision()));
  }

  /**
   * Likewise, over an arena that was made already.
   *
   * @param arena is closed with this
   */
  public RankEnvironment(
      Numerics numerics,
      Workers workers,
      Communicator sequence,
      Communicator tensor,
      RankMode mode,
      int capacity,
      int tile,
      Arena arena) {
    this.numerics = numerics;
    this.workers = workers;
    this.sequence = sequence;
    this.tensor = tensor;
    this.mode = mode;
    this.capacity = capacity;
    this.tile = tile;
    this.blockFold = new BlockFold(sequence, tile);
    this.arena = arena;
    this.tensorSums = new TensorSums(this);
  }

  public Numerics numerics() {
    return numerics;
  }

  public Workers workers() {
    return workers;
  }

  /** The ranks that share its sequence. */
  public Communicator sequence() {
    return sequence;
  }

  /** The ranks that share this one's slice, each with a share of the model; one unless split. */
  public Communicator tensor() {
    return tensor;
  }

  /** Which share of the model this rank has. */
  public TensorPlace place() {
    return new TensorPlace(tensor.index(), tensor.size());
  }

  public RankMode mode() {
    return mode;
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

  /** From now on step {@code number} is done, for the errors of collectives; −1 for none. */
  public void enterStep(long number) {
    step = number;
    enterLayer(-1);
  }

  /** From now on block {@code number} of the model works. */
  void enterLayer(int number) {
    sequence.position(step, number);
    tensor.position(step, number);
  }

  /** From now on no block of the model works: the embedding or the head does. */
  void leaveLayers() {
    enterLayer(-1);
  }

  /** Goes on to another slice, of at most {@link #capacity} tokens. */
  public void accept(SliceInput next) {
    if (next.length() > capacity) {
      throw new IllegalArgumentException(
          next.length() + " tokens for a rank made for " + capacity + " at most");
    }
    input = next;
    latentPlan = null;
    blockFold.accept(next.slices());
    pieces =
        switch (mode.reproducibility()) {
          case FAST -> Piece.whole(next);
          case BITWISE -> Piece.blocks(next, tile);
        };
  }

  /**
   * What attention takes at a time: the slice, or each of its blocks where results must not depend
   * on the number of ranks. Empty for a slice without tokens.
   */
  public List<Piece> pieces() {
    return pieces;
  }

  /** The most pieces that a slice can have. */
  public int mostPieces() {
    return switch (mode.reproducibility()) {
      case FAST -> 1;
      case BITWISE -> (capacity + tile - 1) / tile;
    };
  }

  /** Whether no token of the sequence comes after {@code piece}. */
  boolean endsSequence(Piece piece) {
    return input.firstPosition() + piece.last() == lengthOfSequence();
  }

  private long lengthOfSequence() {
    return input.slices().get(input.slices().size() - 1).end();
  }

  /** Rows just before {@code piece}, up to {@code reach}, whichever rank holds them. */
  int haloRows(Piece piece, int reach) {
    return (int) Math.min(reach, input.firstPosition() + piece.first());
  }

  /** Rows just before the slice, up to {@code reach}; 0 for a slice without tokens. */
  int haloRows(int reach) {
    return pieces.isEmpty() ? 0 : haloRows(pieces.get(0), reach);
  }

  /** The most pieces of a slice that see rows before it, up to {@code reach}. */
  int outerPieces(int reach) {
    return Math.min(mostPieces(), (reach + tile - 1) / tile);
  }

  /** Whether the slice is all there is and one piece: then nothing crosses anything. */
  public boolean isAlone() {
    return sequence.size() == 1 && pieces.size() <= 1;
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
   * Room for what a layer keeps from its forward to its backward; shared by all layers where they
   * compute it again.
   */
  public Matrix kept(String name, long rows, int columns) {
    return switch (mode.memory()) {
      case KEEP -> arena.matrix(rows, columns);
      case RECOMPUTE -> shared("kept " + name, rows, columns);
    };
  }

  /**
   * Room for what a layer keeps and has from other tensor ranks too: it is not computed again,
   * where there are any.
   */
  Matrix keptSum(String name, long rows, int columns) {
    return tensor.size() == 1 ? kept(name, rows, columns) : arena.matrix(rows, columns);
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

  /**
   * Starts to fetch the rows just before the slice, as {@link HaloExchange#startFetch} does; zeros
   * where the exchange is cut.
   */
  Pending fetchHalo(HaloExchange exchange, ByteBuffer tail, int rowBytes, ByteBuffer halo) {
    return switch (mode.exchange()) {
      case WHOLE -> exchange.startFetch(tail, rowBytes, halo);
      case CUT -> {
        for (int at = halo.position(); at < halo.limit(); at++) {
          halo.put(at, (byte) 0);
        }
        yield Pending.DONE;
      }
    };
  }

  /**
   * Starts to send the gradients of the rows just before each piece back, as {@link
   * HaloGradients#startGiveBack} does; nothing where the exchange is cut.
   */
  Pending returnHaloGradients(
      int reach, List<ByteBuffer> outerGradients, int rowBytes, ByteBuffer tailGradient) {
    return switch (mode.exchange()) {
      case WHOLE ->
          haloGradients(reach).startGiveBack(outerGradients, elementType(), rowBytes, tailGradient);
      case CUT -> Pending.DONE;
    };
  }

  /** The way back of the gradients of the rows just before each piece, {@code reach} at most. */
  private HaloGradients haloGradients(int reach) {
    long blockLength =
        switch (mode.reproducibility()) {
          case FAST -> Math.max(1, capacity);
          case BITWISE -> tile;
        };
    return new HaloGradients(sequence, input.slices(), reach, blockLength);
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

  /** Likewise those of {@code rows}, which starts and ends where tiles do. */
  void forEachTile(Span rows, TileWork work) {
    forEachTile(
        rows.length(),
        tile,
        (worker, first, count) -> work.accept(worker, rows.from() + first, count));
  }

  /**
   * Takes every tile of the slice through stages of work: one tile after another through all of
   * them where there is one tensor rank, otherwise all tiles through one stage after another, with
   * the sums over the tensor ranks between.
   */
  void forEachTile(List<Stage> stages) {
    if (tensor.size() > 1) {
      tensorSums.forEachTile(stages);
      return;
    }
    forEachTile(
        (worker, first, count) ->
            stages.forEach(stage -> stage.work().accept(worker, first, count)));
  }

  /** Sums over the tensor ranks. */
  TensorSums tensorSums() {
    return tensorSums;
  }

  /** Sums {@code rows}, a contiguous matrix, over the tensor ranks, in place. */
  public void sumOverTensor(Matrix rows) {
    tensorSums.start(rows).await();
  }

  /**
   * What the tensor ranks' parts are added to, in the sum over them: the first one brings {@code
   * rows}, the others zeros.
   */
  void bring(Matrix rows, Matrix part) {
    if (tensor.index() == 0) {
      part.set(rows);
    } else {
      part.zero();
    }
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

  /**
   * A scan of states {@code [heads · keyWidth, valueWidth]} through the sequence. Where the
   * exchange is cut it writes nothing, so that an arriving state stays the zero that it starts as.
   */
  public StateScan scan(int heads, int keyWidth, int valueWidth, TransitionKind kind) {
    return switch (mode.exchange()) {
      case WHOLE -> wholeScan(heads, keyWidth, valueWidth, kind);
      case CUT -> new CutScan();
    };
  }

  private StateScan wholeScan(int heads, int keyWidth, int valueWidth, TransitionKind kind) {
    ScanChoice choice =
        switch (mode.reproducibility()) {
          case FAST -> mode.scan();
          case BITWISE -> ScanChoice.REPLAY;
        };
    return Scans.of(
        choice,
        sequence,
        new StateShape(elementType(), heads, keyWidth, valueWidth),
        kind,
        mode.scanBlocks(),
        mode.costs());
  }

  /**
   * Which sequence rank attends for which tokens of the sequence being worked on, in latent mixers;
   * the first call for a slice is a collective of the sequence's ranks.
   */
  LatentPlan latentPlan() {
    if (latentPlan == null) {
      latentPlan =
          switch (mode.exchange()) {
            case WHOLE ->
                switch (mode.reproducibility()) {
                  case FAST ->
                      LatentPlan.gathered(
                          sequence, input.slices(), input.documents(), Sharing.BALANCED);
                  case BITWISE ->
                      LatentPlan.onGrid(sequence, input.slices(), input.documents(), tile);
                };
            case CUT -> LatentPlan.cut(input.slices(), input.firstPosition(), input.documents());
          };
    }
    return latentPlan;
  }

  /** Starts to sum {@code rows}, contiguous, over the tensor ranks, in place. */
  Pending sumOverTensorRanks(Matrix rows) {
    return tensorSums.start(rows);
  }

  /** Sums over the blocks of the sequence being worked on, in one order. */
  BlockFold blockFold() {
    return blockFold;
  }

  /**
   * The sum of one number for each tile of the slice, in their order. Where results must not depend
   * on the number of ranks, the first rank of the sequence gets the sum over the whole sequence and
   * the others 0.
   */
  double total(double[] ofTile) {
    return switch (mode.reproducibility()) {
      case FAST -> sum(ofTile, (input.length() + tile - 1) / tile);
      case BITWISE -> totalOfSequence(ofTile);
    };
  }

  private double totalOfSequence(double[] ofTile) {
    long tokens = lengthOfSequence();
    // One rank has each number and the others 0, so that the sum over the ranks is exact.
    double[] ofBlock = new double[Math.toIntExact((tokens + tile - 1) / tile)];
    int own = (input.length() + tile - 1) / tile;
    System.arraycopy(ofTile, 0, ofBlock, (int) (input.firstPosition() / tile), own);
    sequence.allReduce(ofBlock);
    return sequence.index() == 0 ? sum(ofBlock, ofBlock.length) : 0;
  }

  private static double sum(double[] numbers, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += numbers[i];
    }
    return sum;
  }

  /** Shows {@code watch} what comes into latent mixers from now on; null: shows it to nobody. */
  public void watchLatents(LatentWatch watch) {
    latentWatch = watch;
  }

  LatentWatch latentWatch() {
    return latentWatch;
  }

  @Override
  public void close() {
    arena.close();
  }
}
