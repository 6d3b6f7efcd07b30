package org.longspan.executors.layer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.memory.Matrix;

/**
 * Softmax cross-entropy of logits of which each tensor rank has some columns: for each token the
 * ranks tell each other their greatest logit, the sum of the exponentials beside it, and the
 * target's logit, and each joins them in the ranks' order. No rank ever sees another's logits.
 *
 * <p>It goes in waves, a piece of the slice for each worker at a time, so that logits exist for
 * these only.
 *
 * <p>Traffic: a rank receives {@code 24 (T−1)} bytes a token, T the tensor ranks.
 *
 * <p>Threading: the rank's own thread. Every tensor rank has as many workers, and calls the same.
 */
final class SplitCrossEntropy {
  private static final int STATISTICS = 3;

  private final RankEnvironment environment;
  private final Span columns;
  private final int piece;
  private final double[] statistics;
  private final double[] factors;
  private final ByteBuffer given;
  private final ByteBuffer taken;

  /** Makes logits. */
  @FunctionalInterface
  interface Logits {
    /** Those of the slice's rows {@code [first, first + count)}, which may be overwritten. */
    Matrix of(int worker, int first, int count);
  }

  /** What takes the gradients by logits. */
  @FunctionalInterface
  interface GradientWork {
    /** Those of the slice's rows {@code rows}, whose logits {@code worker} made. */
    void accept(int worker, Span rows, Matrix gradient);
  }

  /**
   * @param columns of all logits, those that are here
   * @param piece rows for which a worker makes logits at once; the same on every tensor rank
   */
  SplitCrossEntropy(RankEnvironment environment, Span columns, int piece) {
    this.environment = environment;
    this.columns = columns;
    this.piece = piece;
    int rows = piece * environment.workers().threads();
    this.statistics = new double[STATISTICS * rows];
    this.factors = new double[rows];
    this.given = room(statistics.length);
    this.taken = room(statistics.length * environment.tensor().size());
  }

  private static ByteBuffer room(int numbers) {
    return ByteBuffer.allocateDirect(numbers * Double.BYTES).order(ByteOrder.nativeOrder());
  }

  /**
   * Adds the losses of {@code rows} to those of their tiles, in nats.
   *
   * @param rows whole tiles
   */
  void losses(Span rows, Logits logits, double[] ofTile) {
    for (List<Span> wave : waves(rows)) {
      start(wave, logits);
      addLosses(wave, ofTile);
    }
  }

  /** Likewise, with gradients. */
  void lossesAndGradients(Span rows, Logits logits, GradientWork work, double[] ofTile) {
    for (List<Span> wave : waves(rows)) {
      Matrix[] exponentials = start(wave, logits);
      addLosses(wave, ofTile);
      forEachOf(
          wave,
          (worker, own) -> {
            environment
                .numerics()
                .rows()
                .softmaxGradient(
                    exponentials[worker],
                    environment.input().targets(),
                    own.from(),
                    columns.from(),
                    factors,
                    before(wave, worker));
            work.accept(worker, own, exponentials[worker]);
          });
    }
  }

  /** For each wave what each worker does in it; a worker's tiles are those that it always has. */
  private List<List<Span>> waves(Span rows) {
    int tile = environment.tile();
    int tiles = (rows.length() + tile - 1) / tile;
    int threads = environment.workers().threads();
    List<List<Span>> ofWorkers = new ArrayList<>();
    int most = 0;
    for (int worker = 0; worker < threads; worker++) {
      List<Span> own = new ArrayList<>();
      for (int t = tiles * worker / threads; t < tiles * (worker + 1) / threads; t++) {
        int end = Math.min(rows.to(), rows.from() + (t + 1) * tile);
        for (int first = rows.from() + t * tile; first < end; first += piece) {
          own.add(new Span(first, Math.min(end, first + piece)));
        }
      }
      ofWorkers.add(own);
      most = Math.max(most, own.size());
    }
    List<List<Span>> waves = new ArrayList<>();
    for (int wave = 0; wave < most; wave++) {
      List<Span> together = new ArrayList<>();
      for (List<Span> own : ofWorkers) {
        together.add(wave < own.size() ? own.get(wave) : new Span(0, 0));
      }
      waves.add(together);
    }
    return waves;
  }

  /** What a worker does with its rows of a wave. */
  private interface WaveWork {
    void accept(int worker, Span own);
  }

  /** All workers that have rows in the wave, at once. */
  private void forEachOf(List<Span> wave, WaveWork work) {
    environment
        .workers()
        .forEach(
            wave.size(),
            worker -> {
              Span own = wave.get(worker);
              if (own.length() > 0) {
                work.accept(worker, own);
              }
            });
  }

  /** Rows of the wave that come before those of {@code worker}. */
  private static int before(List<Span> wave, int worker) {
    return wave.subList(0, worker).stream().mapToInt(Span::length).sum();
  }

  /** Each worker's exponentials; what all ranks find of a token lies side by side afterwards. */
  private Matrix[] start(List<Span> wave, Logits logits) {
    Matrix[] exponentials = new Matrix[wave.size()];
    forEachOf(
        wave,
        (worker, own) -> {
          exponentials[worker] = logits.of(worker, own.from(), own.length());
          environment
              .numerics()
              .rows()
              .exponentials(
                  exponentials[worker],
                  environment.input().targets(),
                  own.from(),
                  columns.from(),
                  statistics,
                  before(wave, worker));
        });
    int numbers = STATISTICS * before(wave, wave.size());
    given.asDoubleBuffer().put(0, statistics, 0, numbers);
    environment
        .tensor()
        .allGather(
            given.slice(0, numbers * Double.BYTES),
            taken.slice(0, numbers * Double.BYTES * environment.tensor().size()));
    return exponentials;
  }

  private void addLosses(List<Span> wave, double[] ofTile) {
    int rows = before(wave, wave.size());
    DoubleBuffer found = taken.asDoubleBuffer();
    int row = 0;
    for (Span own : wave) {
      for (int token = own.from(); token < own.to(); token++, row++) {
        if (environment.input().targets()[token] >= 0) {
          ofTile[token / environment.tile()] += loss(found, row, rows);
        }
      }
    }
  }

  /** The loss of the wave's row {@code row}, whose factor is found on the way. */
  private double loss(DoubleBuffer found, int row, int rows) {
    int ranks = environment.tensor().size();
    double maximum = Double.NEGATIVE_INFINITY;
    double target = 0;
    for (int rank = 0; rank < ranks; rank++) {
      int at = STATISTICS * (rank * rows + row);
      maximum = Math.max(maximum, found.get(at));
      target += found.get(at + 2);
    }
    double sum = 0;
    for (int rank = 0; rank < ranks; rank++) {
      int at = STATISTICS * (rank * rows + row);
      sum += Math.exp(found.get(at) - maximum) * found.get(at + 1);
    }
    factors[row] = Math.exp(statistics[STATISTICS * row] - maximum) / sum;
    return Math.log(sum) + maximum - target;
  }
}
