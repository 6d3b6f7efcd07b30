package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Folds a rank's pieces into one {@link Stretch}, joins stretches, and hands what has come in
 * through the rank's own pieces.
 *
 * <p>Threading: one thread at a time, because of the scratch.
 */
final class StretchFold {
  private final StateShape shape;
  private final Recurrence recurrence;
  private final Region all;

  StretchFold(StateShape shape, TransitionKind kind) {
    this.shape = shape;
    this.recurrence = kind.recurrence(shape);
    this.all = Region.all(shape);
  }

  int transitionBytes() {
    return Math.multiplyExact(recurrence.transitionElements(), shape.type().bytes());
  }

  int transitionElements() {
    return recurrence.transitionElements();
  }

  int stretchBytes() {
    return Math.addExact(transitionBytes(), shape.bytes());
  }

  /** The pieces, in the direction's order, from a state of zero. */
  void fold(ScanDirection direction, List<ScanPiece> pieces, Stretch into) {
    if (pieces.isEmpty()) {
      recurrence.setIdentity(into.transition());
      Buffers.clear(into.state());
      return;
    }
    Buffers.copy(pieces.get(0).transition().elements(), into.transition());
    Buffers.copy(pieces.get(0).summary(), into.state());
    for (ScanPiece piece : pieces.subList(1, pieces.size())) {
      ByteBuffer transition = piece.transition().elements();
      recurrence.compose(direction, transition, into.transition(), into.transition());
      apply(direction, transition, into.state(), piece.summary(), into.state());
    }
  }

  /** The state after the direction's first pieces, from the first one's incoming state on. */
  void foldFromTheBeginning(ScanDirection direction, List<ScanPiece> pieces, ByteBuffer into) {
    if (pieces.isEmpty()) {
      Buffers.clear(into);
      return;
    }
    spread(direction, pieces);
    ScanPiece last = pieces.get(pieces.size() - 1);
    apply(direction, last.transition().elements(), last.incoming(), last.summary(), into);
  }

  /** Hands the first piece's incoming state through the others. */
  void spread(ScanDirection direction, List<ScanPiece> pieces) {
    for (int number = 1; number < pieces.size(); number++) {
      ScanPiece before = pieces.get(number - 1);
      apply(
          direction,
          before.transition().elements(),
          before.incoming(),
          before.summary(),
          pieces.get(number).incoming());
    }
  }

  /** {@code into.state = later.Γ · earlier + later.state}. */
  void joinStates(ScanDirection direction, Stretch later, ByteBuffer earlier, ByteBuffer into) {
    apply(direction, later.transition(), earlier, later.state(), into);
  }

  /** The transition of both. */
  void joinTransitions(ScanDirection direction, Stretch later, Stretch earlier, Stretch into) {
    recurrence.compose(direction, later.transition(), earlier.transition(), into.transition());
  }

  private void apply(
      ScanDirection direction,
      ByteBuffer transition,
      ByteBuffer before,
      ByteBuffer summary,
      ByteBuffer after) {
    recurrence.apply(
        direction,
        transition,
        all,
        Rows.in(before, shape, all),
        Rows.in(summary, shape, all),
        Rows.in(after, shape, all));
  }
}
