package org.longspan.parallelism.mesh;

/**
 * The fixed grid on which a sequence is cut: blocks of {@code blockLength} tokens from its start,
 * the last one perhaps shorter. The grid does not depend on the number of ranks, so that the same
 * blocks are computed whoever holds them.
 */
public record BlockGrid(long tokens, int blockLength) {
  public BlockGrid {
    if (tokens < 0 || blockLength < 1) {
      throw new IllegalArgumentException(tokens + " tokens in blocks of " + blockLength);
    }
  }

  public long blocks() {
    return (tokens + blockLength - 1) / blockLength;
  }

  /**
   * What place {@code p} of {@code places} holds: blocks {@code ⌊pB/P⌋} to {@code ⌊(p+1)B/P⌋},
   * perhaps none.
   */
  public Slice slice(int place, int places) {
    if (place < 0 || place >= places) {
      throw new IllegalArgumentException("Place " + place + " of " + places);
    }
    return new Slice(edge(place, places), edge(place + 1, places));
  }

  private long edge(int place, int places) {
    return Math.min(tokens, place * blocks() / places * blockLength);
  }
}
