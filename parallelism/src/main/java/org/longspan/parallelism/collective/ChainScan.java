package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * ZeCO's All-Scan (arXiv 2507.01004): the state goes from rank to rank in blocks; a rank takes a
 * block through all its pieces as soon as it is there and sends it on at once, while the next one
 * is on its way. The results are the same to the last bit however the pieces are spread over ranks
 * and the state is cut into blocks.
 *
 * <p>Received by each rank but the direction's first: one state, {@code heads · keyWidth ·
 * valueWidth} elements, however many blocks there are, which is the least that is possible. Time
 * with P ranks, K blocks, m bytes, latency α and bandwidth β: {@code (P−1+K−1)(α + m/(Kβ))}.
 */
final class ChainScan implements StateScan {
  private final StatePath path;
  private final String name;
  private final ScanLabels labels;
  private final StateShape shape;
  private final Communicator communicator;
  private final Recurrence recurrence;
  private final List<Region> blocks;
  private final Arithmetic arithmetic;
  private final ByteBuffer arrived;
  private final ByteBuffer changed;

  /**
   * @param name for people
   * @param labels for peers
   * @param blocks into how many blocks the state is cut, or fewer where there are not so many
   */
  ChainScan(StatePath path, String name, ScanLabels labels, int blocks) {
    this.path = path;
    this.name = name;
    this.labels = labels;
    this.shape = path.shape();
    this.communicator = path.communicator();
    this.recurrence = path.kind().recurrence(shape);
    this.blocks = recurrence.cut(blocks);
    this.arithmetic = shape.type().arithmetic();
    int longest = this.blocks.stream().mapToInt(Region::elements).max().orElse(0);
    int bytes = path.ranks() == 1 ? 0 : longest * shape.type().bytes();
    this.changed = ByteBuffer.allocateDirect(bytes);
    boolean whole = this.blocks.stream().allMatch(this::isContiguous);
    this.arrived = ByteBuffer.allocateDirect(whole ? 0 : bytes);
  }

  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    List<ScanPiece> ordered = path.inOrder(direction, pieces, recurrence.transitionElements());
    if (path.isTrivial(pieces)) {
      return Pending.DONE;
    }
    return communicator.start(
        labels.of(direction),
        messages -> blocks.forEach(block -> take(messages, direction, block, ordered)));
  }

  @Override
  public String description() {
    return name + " in " + blocks() + (blocks() == 1 ? " block" : " blocks");
  }

  /** Into how many blocks the state is cut. */
  int blocks() {
    return blocks.size();
  }

  private void take(
      PeerMessages messages, ScanDirection direction, Region block, List<ScanPiece> pieces) {
    int place = path.place(direction);
    if (pieces.isEmpty()) {
      receiveOrClear(messages, direction, place, outgoing(block));
    } else {
      if (place > 0) {
        receive(messages, path.member(direction, place - 1), block, pieces.get(0).incoming());
      }
      fold(direction, block, pieces);
    }
    if (place < path.ranks() - 1) {
      messages.send(path.member(direction, place + 1), outgoing(block));
    }
  }

  private ByteBuffer outgoing(Region block) {
    return changed.limit(bytes(block));
  }

  private void receiveOrClear(
      PeerMessages messages, ScanDirection direction, int place, ByteBuffer block) {
    if (place > 0) {
      messages.receive(path.member(direction, place - 1), block);
    } else {
      Buffers.clear(block);
    }
  }

  private void receive(PeerMessages messages, int from, Region block, ByteBuffer state) {
    Rows into = Rows.in(state, shape, block);
    if (isContiguous(block)) {
      messages.receive(from, state.slice(into.start() * shape.type().bytes(), bytes(block)));
      return;
    }
    ByteBuffer packed = arrived.limit(bytes(block));
    messages.receive(from, packed);
    arithmetic.copy(Rows.packed(packed, block.columns()), into, block.rows(), block.columns());
  }

  /** Takes a block, in the first piece's incoming state, through all pieces. */
  private void fold(ScanDirection direction, Region block, List<ScanPiece> pieces) {
    for (int number = 1; number < pieces.size(); number++) {
      Rows after = Rows.in(pieces.get(number).incoming(), shape, block);
      apply(direction, block, pieces.get(number - 1), after);
    }
    if (path.place(direction) < path.ranks() - 1) {
      Rows after = Rows.packed(outgoing(block), block.columns());
      apply(direction, block, pieces.get(pieces.size() - 1), after);
    }
  }

  private void apply(ScanDirection direction, Region block, ScanPiece piece, Rows after) {
    recurrence.apply(
        direction,
        piece.transition().elements(),
        block,
        Rows.in(piece.incoming(), shape, block),
        Rows.in(piece.summary(), shape, block),
        after);
  }

  private int bytes(Region block) {
    return block.elements() * shape.type().bytes();
  }

  private boolean isContiguous(Region block) {
    return block.columns() == shape.valueWidth();
  }
}
