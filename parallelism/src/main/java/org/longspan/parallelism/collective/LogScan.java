package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Hillis and Steele's scan over the pairs {@code (Γ, Ŝ)} of the ranks, in {@code ⌈log₂P⌉} rounds:
 * in the round of distance d the rank at place p gives what the d places up to its own do to place
 * {@code p + d}. What all places before a rank do is kept beside what they and its own do, so that
 * no round is needed to shift the results by one.
 *
 * <p>Received by the rank at place p ≥ 1 of the direction: {@code (⌊log₂p⌋ + 1)·m + ⌊log₂p⌋·g}
 * bytes, m of a state and g of a transition (what counts from the very beginning travels without
 * its transition); by the first rank: none. Time with P ranks, latency α and bandwidth β: at most
 * {@code ⌈log₂P⌉(α + (m+g)/β)}.
 */
final class LogScan implements StateScan {
  private final StatePath path;
  private final StretchFold fold;
  private final Stretch own;
  private final Stretch upToHere;
  private final Stretch arrived;
  private final Stretch before;

  LogScan(StatePath path) {
    this.path = path;
    this.fold = new StretchFold(path.shape(), path.kind());
    this.own = stretch();
    this.upToHere = stretch();
    this.arrived = stretch();
    this.before = stretch();
  }

  private Stretch stretch() {
    return Stretch.in(ByteBuffer.allocateDirect(fold.stretchBytes()), fold.transitionBytes());
  }

  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    List<ScanPiece> ordered = path.inOrder(direction, pieces, fold.transitionElements());
    if (path.isTrivial(pieces)) {
      return Pending.DONE;
    }
    return path.communicator()
        .start(ScanLabels.LOG.of(direction), messages -> scan(messages, direction, ordered));
  }

  @Override
  public String description() {
    return "log-scan";
  }

  private void scan(PeerMessages messages, ScanDirection direction, List<ScanPiece> pieces) {
    if (path.place(direction) == 0) {
      fold.foldFromTheBeginning(direction, pieces, own.state());
    } else {
      fold.fold(direction, pieces, own);
    }
    for (int distance = 1; distance < path.ranks(); distance *= 2) {
      round(messages, direction, distance);
    }
    if (path.place(direction) > 0 && !pieces.isEmpty()) {
      Buffers.copy(before.state(), pieces.get(0).incoming());
      fold.spread(direction, pieces);
    }
  }

  private void round(PeerMessages messages, ScanDirection direction, int distance) {
    int place = path.place(direction);
    int to = place + distance;
    int from = place - distance;
    boolean fromTheBeginning = from < distance;
    Stretch given = distance == 1 || place == 0 ? own : upToHere;
    Stretch taken = distance == 1 ? before : arrived;
    ByteBuffer sent = to < path.ranks() ? given.travelling(place < distance) : Buffers.NOTHING;
    ByteBuffer received = from >= 0 ? taken.travelling(fromTheBeginning) : Buffers.NOTHING;
    messages.exchange(path.member(direction, to), sent, path.member(direction, from), received);
    if (from < 0) {
      return;
    }
    if (distance > 1) {
      fold.joinStates(direction, before, arrived.state(), before.state());
      if (!fromTheBeginning) {
        fold.joinTransitions(direction, before, arrived, before);
      }
    }
    if (place + 2 * distance < path.ranks()) {
      fold.joinStates(direction, own, before.state(), upToHere.state());
      if (!fromTheBeginning) {
        fold.joinTransitions(direction, own, before, upToHere);
      }
    }
  }
}
