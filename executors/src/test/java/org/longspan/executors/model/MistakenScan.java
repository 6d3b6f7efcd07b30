package org.longspan.executors.model;

import java.util.List;
import org.longspan.executors.kernel.AttentionCase;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.StateScan;

/**
 * A scan of floats after which the state that came in is wrong.
 *
 * @param slice the rank's, of at least one token
 * @param mistaken the direction in which it is wrong
 */
record MistakenScan(
    StateScan sound, AttentionCase slice, ScanDirection mistaken, StateMistake mistake)
    implements StateScan {
  /** What is wrong with a state. */
  enum StateMistake {
    DROPPED {
      @Override
      double factor(double decay) {
        return 0;
      }
    },
    DOUBLED {
      @Override
      double factor(double decay) {
        return 2;
      }
    },
    DECAYED_ONCE_MORE {
      @Override
      double factor(double decay) {
        return decay;
      }
    },
    DECAYED_ONCE_LESS {
      @Override
      double factor(double decay) {
        return 1 / decay;
      }
    },
    BLOCKS_SWAPPED {
      @Override
      double factor(double decay) {
        return 1;
      }

      @Override
      int source(int place, int size) {
        return (place + size / 2) % size;
      }
    };

    /**
     * What a row of the state is multiplied with.
     *
     * @param decay of the row by the token next to the slice's edge
     */
    abstract double factor(double decay);

    /** Where what ends at a place of the state was. */
    int source(int place, int size) {
      return place;
    }
  }

  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    Pending pending = sound.start(direction, pieces);
    if (direction != mistaken) {
      return pending;
    }
    return () -> {
      pending.await();
      PlainNumbers.change(pieces.get(0).incoming(), Precision.FLOAT, this::change);
    };
  }

  private void change(double[] state) {
    int edge =
        switch (mistaken) {
          case FORWARD -> 0;
          case BACKWARD -> slice.documents().tokens() - 1;
        };
    double[] before = state.clone();
    for (int i = 0; i < state.length; i++) {
      double decay = slice.decay(edge, i / slice.shape().valueWidth());
      state[i] = mistake.factor(decay) * before[mistake.source(i, state.length)];
    }
  }

  @Override
  public String description() {
    return sound.description();
  }
}
