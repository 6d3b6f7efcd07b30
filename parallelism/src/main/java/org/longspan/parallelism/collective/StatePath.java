package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What all scans of one shape and kind share: their pieces, checked, and the ranks' order. */
record StatePath(Communicator communicator, StateShape shape, TransitionKind kind) {
  /** This rank's place in the direction, counted from 0. */
  int place(ScanDirection direction) {
    return switch (direction) {
      case FORWARD -> communicator.index();
      case BACKWARD -> communicator.size() - 1 - communicator.index();
    };
  }

  /** The member at a place in the direction. */
  int member(ScanDirection direction, int place) {
    return switch (direction) {
      case FORWARD -> place;
      case BACKWARD -> communicator.size() - 1 - place;
    };
  }

  int ranks() {
    return communicator.size();
  }

  /** Nothing to move and nothing to fold. */
  boolean isTrivial(List<ScanPiece> pieces) {
    return shape.bytes() == 0 || (ranks() == 1 && pieces.size() < 2);
  }

  /** The pieces in the direction's order, each buffer as it is now from position to limit. */
  List<ScanPiece> inOrder(ScanDirection direction, List<ScanPiece> pieces, int transitionElements) {
    List<ScanPiece> ordered = new ArrayList<>(pieces.size());
    for (ScanPiece piece : pieces) {
      check(piece, ordered.size(), transitionElements);
      Transition transition = piece.transition();
      ordered.add(
          new ScanPiece(
              piece.summary().slice(),
              new Transition(kind, transition.elements().slice()),
              piece.incoming().slice()));
    }
    if (direction == ScanDirection.BACKWARD) {
      Collections.reverse(ordered);
    }
    return ordered;
  }

  private void check(ScanPiece piece, int number, int transitionElements) {
    if (piece.transition().kind() != kind) {
      throw new IllegalArgumentException(
          "Piece " + number + " has a transition " + piece.transition().kind() + ", not " + kind);
    }
    checkBytes("summary", piece.summary(), shape.bytes(), number);
    checkBytes("incoming state", piece.incoming(), shape.bytes(), number);
    checkBytes(
        "transition",
        piece.transition().elements(),
        transitionElements * shape.type().bytes(),
        number);
  }

  private void checkBytes(String name, ByteBuffer buffer, int expected, int number) {
    if (buffer.remaining() != expected) {
      throw new IllegalArgumentException(
          "Piece "
              + number
              + ": its "
              + name
              + " has "
              + buffer.remaining()
              + " bytes where "
              + expected
              + " go with "
              + shape);
    }
  }
}
