package org.longspan.executors.train;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.datapipeline.dataset.SequenceReader;
import org.longspan.datapipeline.dataset.TokenSlice;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;

/**
 * Reads this rank's slice of a sequence, and the token after it, which is the last one's target.
 *
 * <p>Threading: one thread.
 */
public final class SliceReader implements AutoCloseable {
  private final SequenceReader reader;
  private final int blockLength;
  private final int place;
  private final int places;

  /**
   * @param blockLength tokens in a block of the grid on which sequences are cut
   * @param place of this rank among the {@code places} that share a sequence
   */
  public SliceReader(SequenceReader reader, int blockLength, int place, int places) {
    this.reader = reader;
    this.blockLength = blockLength;
    this.place = place;
    this.places = places;
  }

  /** The slice of {@code sequence}; perhaps without a token. */
  public SliceInput read(long sequence) {
    int length = reader.length(sequence);
    BlockGrid grid = new BlockGrid(length, blockLength);
    List<Slice> slices =
        IntStream.range(0, places).mapToObj(other -> grid.slice(other, places)).toList();
    Slice own = slices.get(place);
    int from = Math.toIntExact(own.start());
    int to = Math.toIntExact(own.end());
    if (from == to) {
      return new SliceInput(new int[0], new int[0], new Documents(0, new int[0], 0), slices, place);
    }
    return input(reader.read(sequence, from, Math.min(to + 1, length)), to - from, slices, place);
  }

  /**
   * The slice's input from its tokens.
   *
   * @param read the slice's tokens, and the one after them where there is one
   * @param tokens how many of them are the slice's
   */
  static SliceInput input(TokenSlice read, int tokens, List<Slice> slices, int place) {
    return input(read.tokens(), read.documentStarts(), read.before(), tokens, slices, place);
  }

  /** Likewise, from arrays: targets stop where a document does. */
  public static SliceInput input(
      int[] read, int[] starts, long before, int tokens, List<Slice> slices, int place) {
    int[] targets = new int[tokens];
    for (int t = 0; t < tokens; t++) {
      boolean ends = t + 1 >= read.length || Arrays.binarySearch(starts, t + 1) >= 0;
      targets[t] = ends ? -1 : read[t + 1];
    }
    int[] own = Arrays.stream(starts).filter(start -> start < tokens).toArray();
    return new SliceInput(
        Arrays.copyOf(read, tokens), targets, new Documents(tokens, own, before), slices, place);
  }

  @Override
  public void close() {
    reader.close();
  }
}
