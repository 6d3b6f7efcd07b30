package org.longspan.datapipeline.statistics;

import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.DatasetSplit;
import org.longspan.datapipeline.dataset.SequenceReader;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.dataset.TokenSlice;

/**
 * The empirical entropies of a split's tokens, in nats a token, over the tokens that a model
 * predicts: those with a token of the same document before them in the same sequence.
 *
 * @param unigram H(x_t): what a model reaches that knows how frequent each token is
 * @param bigram H(x_t | x_{t-1}): what a model reaches that also sees the token before
 * @param predicted the number of tokens that are predicted
 */
public record TokenEntropy(double unigram, double bigram, long predicted) {
  private static final int TOKENS_AT_ONCE = 1 << 16;

  /** Reads the whole split. */
  public static TokenEntropy of(Dataset dataset, Split split) {
    DatasetSplit data = dataset.split(split);
    PairCounts counts = new PairCounts(dataset.manifest().vocabulary());
    try (SequenceReader reader = data.reader()) {
      for (long sequence = 0; sequence < data.sequences(); sequence++) {
        addSequence(reader, sequence, counts);
      }
    }
    return new TokenEntropy(counts.unigramEntropy(), counts.bigramEntropy(), counts.total());
  }

  private static void addSequence(SequenceReader reader, long sequence, PairCounts counts) {
    int length = reader.length(sequence);
    int last = -1;
    for (int from = 0; from < length; ) {
      int to = (int) Math.min(length, (long) from + TOKENS_AT_ONCE);
      TokenSlice slice = reader.read(sequence, from, to);
      last = addSlice(slice, last, counts);
      from = to;
    }
  }

  /** Counts the pairs of a slice behind token {@code last} and returns its own last token. */
  private static int addSlice(TokenSlice slice, int last, PairCounts counts) {
    int[] tokens = slice.tokens();
    int[] starts = slice.documentStarts();
    int previous = last;
    int document = 0;
    for (int i = 0; i < tokens.length; i++) {
      if (document < starts.length && starts[document] == i) {
        document++;
      } else {
        counts.add(previous, tokens[i]);
      }
      previous = tokens[i];
    }
    return previous;
  }
}
