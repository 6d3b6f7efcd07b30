package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.kernel.Documents;
import org.longspan.parallelism.mesh.Slice;

/**
 * What a rank's slice of one sequence consists of.
 *
 * <p>{@code slices} holds every sequence rank's slice, in order; {@code place} is this rank's.
 * Target {@code t} is the token after token t, or −1 where the document ends. Immutable by
 * agreement: nobody writes the arrays.
 */
public final class SliceInput {
  private final int[] tokens;
  private final int[] targets;
  private final Documents documents;
  private final List<Slice> slices;
  private final int place;

  public SliceInput(
      int[] tokens, int[] targets, Documents documents, List<Slice> slices, int place) {
    if (tokens.length != targets.length
        || tokens.length != documents.tokens()
        || tokens.length != slices.get(place).length()) {
      throw new IllegalArgumentException(
          tokens.length
              + " tokens, "
              + targets.length
              + " targets, "
              + documents.tokens()
              + " tokens in documents, "
              + slices.get(place));
    }
    this.tokens = tokens;
    this.targets = targets;
    this.documents = documents;
    this.slices = slices;
    this.place = place;
  }

  public int[] tokens() {
    return tokens;
  }

  public int[] targets() {
    return targets;
  }

  /** Tokens in this slice. */
  public int length() {
    return tokens.length;
  }

  public Documents documents() {
    return documents;
  }

  public List<Slice> slices() {
    return slices;
  }

  /** Where in the sequence the slice starts. */
  public long firstPosition() {
    return slices.get(place).start();
  }

  /** Tokens that have a target. */
  public int predicted() {
    int count = 0;
    for (int target : targets) {
      if (target >= 0) {
        count++;
      }
    }
    return count;
  }
}
