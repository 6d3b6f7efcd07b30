package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/** Scratch for one tile, one for each worker; see {@link RankEnvironment#tileScratch}. */
public final class TileScratch {
  private final Matrix[] ofWorker;

  TileScratch(Matrix[] ofWorker) {
    this.ofWorker = ofWorker;
  }

  /** The first {@code rows} rows of {@code worker}'s. */
  public Matrix of(int worker, long rows) {
    return ofWorker[worker].rows(0, rows);
  }
}
