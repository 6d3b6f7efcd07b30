package org.longspan.datapipeline.packing;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Joins the fragments of each piece, which come sorted by sequence, piece and start, to whole
 * pieces. Holds one piece at a time. For one thread.
 */
public final class PieceMerger implements Iterator<Fragment> {
  private final Iterator<Fragment> fragments;
  private Fragment pending;

  public PieceMerger(Iterator<Fragment> fragments) {
    this.fragments = fragments;
  }

  @Override
  public boolean hasNext() {
    return pending != null || fragments.hasNext();
  }

  @Override
  public Fragment next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The fragments are over");
    }
    Fragment piece = pending == null ? fragments.next() : pending;
    pending = null;
    if (piece.getStart() != 0) {
      throw gap(piece, 0);
    }
    while (fragments.hasNext()) {
      Fragment following = fragments.next();
      if (following.getSequence() != piece.getSequence()
          || following.getPiece() != piece.getPiece()) {
        pending = following;
        break;
      }
      append(piece, following);
    }
    return piece;
  }

  private static void append(Fragment piece, Fragment following) {
    if (following.getStart() != piece.getTokens().length) {
      throw gap(following, piece.getTokens().length);
    }
    piece.setTokens(join(piece.getTokens(), following.getTokens()));
    piece.setDocumentStarts(join(piece.getDocumentStarts(), following.getDocumentStarts()));
  }

  private static int[] join(int[] left, int[] right) {
    int[] joined = Arrays.copyOf(left, left.length + right.length);
    System.arraycopy(right, 0, joined, left.length, right.length);
    return joined;
  }

  private static IllegalStateException gap(Fragment fragment, int expected) {
    return new IllegalStateException(
        "Piece %d of sequence %d goes on at token %d instead of %d"
            .formatted(fragment.getPiece(), fragment.getSequence(), fragment.getStart(), expected));
  }
}
