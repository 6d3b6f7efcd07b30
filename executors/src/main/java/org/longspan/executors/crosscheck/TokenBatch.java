package org.longspan.executors.crosscheck;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.SequenceReader;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.dataset.TokenSlice;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.train.SliceReader;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;

/** One sequence, held whole. Immutable by agreement: nobody writes the arrays. */
final class TokenBatch {
  private final int[] tokens;
  private final int[] documentStarts;

  /**
   * @param documentStarts ascending offsets, from 0 on
   */
  TokenBatch(int[] tokens, int[] documentStarts) {
    if (documentStarts.length == 0 || documentStarts[0] != 0) {
      throw new IllegalArgumentException(
          "Document starts " + Arrays.toString(documentStarts) + " do not begin with 0");
    }
    this.tokens = tokens;
    this.documentStarts = documentStarts;
  }

  /** The first {@code most} tokens, or as many as there are, of the validation split. */
  static TokenBatch read(Dataset dataset, int most) {
    try (SequenceReader reader = dataset.split(Split.VALIDATION).reader()) {
      TokenSlice read = reader.read(0, 0, Math.min(most, reader.length(0)));
      int[] starts =
          IntStream.concat(IntStream.of(0), Arrays.stream(read.documentStarts()))
              .distinct()
              .toArray();
      return new TokenBatch(read.tokens(), starts);
    }
  }

  int length() {
    return tokens.length;
  }

  int[] tokens() {
    return tokens;
  }

  int[] documentStarts() {
    return documentStarts;
  }

  /** What rank {@code place} of {@code places} holds of it; perhaps nothing. */
  SliceInput slice(int place, int places, int block) {
    BlockGrid grid = new BlockGrid(tokens.length, block);
    List<Slice> slices =
        IntStream.range(0, places).mapToObj(other -> grid.slice(other, places)).toList();
    int from = Math.toIntExact(slices.get(place).start());
    int to = Math.toIntExact(slices.get(place).end());
    if (from == to) {
      return SliceReader.input(new int[0], new int[0], 0, 0, slices, place);
    }
    // The token after the slice is its last one's target.
    int last = Math.min(to + 1, tokens.length);
    int[] starts =
        Arrays.stream(documentStarts)
            .filter(start -> start >= from && start < last)
            .map(start -> start - from)
            .toArray();
    int document = Arrays.stream(documentStarts).filter(start -> start <= from).max().orElse(0);
    return SliceReader.input(
        Arrays.copyOfRange(tokens, from, last), starts, from - document, to - from, slices, place);
  }
}
