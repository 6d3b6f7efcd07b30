package org.longspan.datapipeline.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.TestSpark;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;

final class TokenEntropyTest {
  private static final double EXACT = 1e-12;

  @TempDir private Path folder;

  @Test
  void shouldMeasureWithinDocuments() throws IOException {
    // Pairs: B→a, a→b, b→a, a→E and B→a, a→E: after B and b comes a, after a comes b or E (1:2).
    TokenEntropy entropy = entropy(List.of("aba", "a"), 1000);
    assertThat(entropy.predicted()).isEqualTo(6);
    double uncertain = -(Math.log(1 / 3.0) / 3 + 2 * Math.log(2 / 3.0) / 3);
    assertThat(entropy.bigram()).isCloseTo(uncertain / 2, within(EXACT));
    double unigram = -(Math.log(3 / 6.0) / 2 + Math.log(1 / 6.0) / 6 + Math.log(2 / 6.0) / 3);
    assertThat(entropy.unigram()).isCloseTo(unigram, within(EXACT));
  }

  @Test
  void shouldNotPredictTheFirstTokenOfASequence() throws IOException {
    // B a | b a | E: one predicted token in each full sequence.
    TokenEntropy entropy = entropy(List.of("aba"), 2);
    assertThat(entropy.predicted()).isEqualTo(2);
    assertThat(entropy.unigram()).isZero();
  }

  @Test
  void shouldAgreeBetweenTableAndMap() {
    PairCounts table = new PairCounts(258);
    PairCounts map = new PairCounts(100_000);
    for (int i = 1; i < 5000; i++) {
      int previous = (i * 7919) % 97;
      int token = (i * i) % 13;
      table.add(previous, token);
      map.add(previous, token);
    }
    assertThat(map.unigramEntropy()).isCloseTo(table.unigramEntropy(), within(EXACT));
    assertThat(map.bigramEntropy()).isCloseTo(table.bigramEntropy(), within(EXACT));
    assertThat(table.bigramEntropy()).isLessThan(table.unigramEntropy());
  }

  private TokenEntropy entropy(List<String> texts, int sequenceLength) throws IOException {
    Path input = Documents.folder(folder.resolve("in"), texts);
    String output = folder.resolve("out").toString();
    Prepare.run(
        TestSpark.session(),
        PrepareOptions.of(List.of(input.toString()), output, sequenceLength)
            .withValidationShare(0));
    return TokenEntropy.of(Dataset.open(TestSpark.hadoop(), output), Split.TRAIN);
  }
}
