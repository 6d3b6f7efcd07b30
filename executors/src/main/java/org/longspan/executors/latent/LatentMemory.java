package org.longspan.executors.latent;

import java.util.HashMap;
import java.util.Map;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/** Where a latent attention's matrices come from. */
public interface LatentMemory {
  /** Kept from the forward to the backward, unless that is computed again. */
  Matrix kept(String name, long rows, int columns);

  /** Kept from the forward to the backward in any case. */
  Matrix always(long rows, int columns);

  /** Used while one pass works, by one attention after another. */
  Matrix shared(String name, long rows, int columns);

  /** All of it from one arena. */
  static LatentMemory of(Arena arena) {
    Map<String, Matrix> shared = new HashMap<>();
    return new LatentMemory() {
      @Override
      public Matrix kept(String name, long rows, int columns) {
        return always(rows, columns);
      }

      @Override
      public Matrix always(long rows, int columns) {
        return arena.matrix(rows, columns);
      }

      @Override
      public Matrix shared(String name, long rows, int columns) {
        return shared.computeIfAbsent(
            name + " " + rows + " " + columns, key -> arena.matrix(rows, columns));
      }
    };
  }
}
