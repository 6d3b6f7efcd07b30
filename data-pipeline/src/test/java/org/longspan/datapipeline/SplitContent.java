package org.longspan.datapipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.SequenceReader;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.dataset.TokenSlice;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;

/** All of a split in memory, read sequence by sequence. */
public final class SplitContent {
  private final List<TokenSlice> sequences = new ArrayList<>();

  public SplitContent(Dataset dataset, Split split) {
    try (SequenceReader reader = dataset.split(split).reader()) {
      LongStream.range(0, dataset.split(split).sequences())
          .forEach(sequence -> sequences.add(reader.read(sequence, 0, reader.length(sequence))));
    }
  }

  public List<TokenSlice> sequences() {
    return sequences;
  }

  /** The token stream. */
  public int[] tokens() {
    return sequences.stream().flatMapToInt(sequence -> Arrays.stream(sequence.tokens())).toArray();
  }

  /** The documents, found by their marks. */
  public List<String> documents() {
    int[] tokens = tokens();
    ByteTokenizer tokenizer = new ByteTokenizer();
    int[] begins =
        IntStream.range(0, tokens.length)
            .filter(i -> tokens[i] == tokenizer.beginOfDocument())
            .toArray();
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < begins.length; i++) {
      int end = i + 1 < begins.length ? begins[i + 1] : tokens.length;
      texts.add(tokenizer.decode(Arrays.copyOfRange(tokens, begins[i], end)));
    }
    return texts;
  }
}
