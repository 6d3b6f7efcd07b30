package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.kernel.Documents;

/**
 * A stretch of a rank's slice that attention takes as a whole: the slice itself, or a block of the
 * grid where results must not depend on which rank holds which blocks.
 *
 * @param first its first row in the slice
 * @param last the row after its last one
 * @param documents those of its tokens
 */
public record Piece(int first, int last, Documents documents) {

  public int length() {
    return last - first;
  }

  /** The slice as one piece; none where it has no token. */
  static List<Piece> whole(SliceInput input) {
    return of(input, Math.max(1, input.length()));
  }

  /** The slice cut every {@code length} tokens. */
  static List<Piece> blocks(SliceInput input, int length) {
    return of(input, length);
  }

  private static List<Piece> of(SliceInput input, int length) {
    List<Piece> pieces = new ArrayList<>();
    for (int first = 0; first < input.length(); first += length) {
      int last = Math.min(input.length(), first + length);
      pieces.add(new Piece(first, last, input.documents().piece(first, last)));
    }
    return List.copyOf(pieces);
  }
}
