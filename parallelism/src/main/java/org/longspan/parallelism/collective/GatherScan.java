package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/**
 * LASP-2 (arXiv 2502.07563), for comparison: every rank gathers the pairs {@code (Γ, Ŝ)} of all
 * ranks and folds those before it.
 *
 * <p>Received by each rank: {@code (P−1)(m+g)} bytes, m of a state and g of a transition. Memory:
 * {@code P(m+g) + m}.
 */
final class GatherScan implements StateScan {
  private final StatePath path;
  private final StretchFold fold;
  private final Parts parts;
  private final List<Stretch> stretches;
  private final ByteBuffer state;

  GatherScan(StatePath path) {
    this.path = path;
    this.fold = new StretchFold(path.shape(), path.kind());
    int bytes = fold.stretchBytes();
    ByteBuffer all = ByteBuffer.allocateDirect(Math.multiplyExact(path.ranks(), bytes));
    this.parts = Parts.equal(all, bytes);
    this.stretches =
        IntStream.range(0, path.ranks())
            .mapToObj(rank -> Stretch.in(parts.of(rank), fold.transitionBytes()))
            .toList();
    this.state = ByteBuffer.allocateDirect(path.shape().bytes());
  }

  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    List<ScanPiece> ordered = path.inOrder(direction, pieces, fold.transitionElements());
    if (path.isTrivial(pieces)) {
      return Pending.DONE;
    }
    return path.communicator()
        .start(ScanLabels.LASP2.of(direction), messages -> scan(messages, direction, ordered));
  }

  @Override
  public String description() {
    return "all-gather of states (LASP-2)";
  }

  private void scan(PeerMessages messages, ScanDirection direction, List<ScanPiece> pieces) {
    Stretch own = stretches.get(path.communicator().index());
    int place = path.place(direction);
    if (place == 0) {
      fold.foldFromTheBeginning(direction, pieces, own.state());
      Buffers.clear(own.transition());
    } else {
      fold.fold(direction, pieces, own);
    }
    Ring.allGather(messages, parts);
    if (place == 0 || pieces.isEmpty()) {
      return;
    }
    Buffers.copy(stretches.get(path.member(direction, 0)).state(), state);
    for (int before = 1; before < place; before++) {
      fold.joinStates(direction, stretches.get(path.member(direction, before)), state, state);
    }
    Buffers.copy(state, pieces.get(0).incoming());
    fold.spread(direction, pieces);
  }
}
