package org.longspan.datapipeline.packing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.dataset.SequenceLayout;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;

final class SequencePackerTest {
  private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

  @Test
  void shouldCutDocumentsAtSequencesAndPieces() {
    // B a b c | E B d e | E      sequences of 4 tokens in pieces of 3
    List<Fragment> pieces = merged(List.of(fragments(List.of("abc", "de"), 0, 4, 3)));
    assertThat(pieces).extracting(Fragment::getSequence).containsExactly(0L, 0L, 1L, 1L, 2L);
    assertThat(pieces).extracting(Fragment::getPiece).containsExactly(0, 1, 0, 1, 0);
    assertThat(pieces)
        .extracting(Fragment::getTokens)
        .containsExactly(
            new int[] {256, 'a', 'b'},
            new int[] {'c'},
            new int[] {257, 256, 'd'},
            new int[] {'e'},
            new int[] {257});
    assertThat(pieces)
        .extracting(Fragment::getDocumentStarts)
        .containsExactly(
            new int[] {0}, new int[] {}, new int[] {0, 1}, new int[] {}, new int[] {0});
    assertThat(pieces).extracting(Fragment::getCarried).containsExactly(0, 3, 0, 2, 0);
  }

  @ParameterizedTest
  @CsvSource({"2,1", "5,1", "16,4", "17,4", "17,16", "64,1024", "1000,7"})
  void shouldGiveTheSamePiecesHoweverTheDocumentsArePartitioned(int sequence, int piece) {
    List<String> texts = Documents.random(40, 30, 7);
    List<Fragment> expected = merged(List.of(fragments(texts, 0, sequence, piece)));
    List<Iterator<Fragment>> partitions = new ArrayList<>();
    long position = 0;
    for (int from = 0; from < texts.size(); from += 3) {
      List<String> part = texts.subList(from, Math.min(texts.size(), from + 3));
      partitions.add(fragments(part, position, sequence, piece));
      for (String text : part) {
        position += TOKENIZER.encodeDocument(text).length;
      }
    }
    assertThat(merged(partitions)).usingRecursiveComparison().isEqualTo(expected);
  }

  @Test
  void shouldGiveNothingForNoDocuments() {
    assertThat(fragments(List.of(), 5, 8, 4).hasNext()).isFalse();
  }

  @Test
  void shouldRefuseToMergeOverAGap() {
    Fragment lonely = new Fragment();
    lonely.setSequence(3);
    lonely.setPiece(2);
    lonely.setStart(7);
    assertThatThrownBy(() -> new PieceMerger(List.of(lonely).iterator()).next())
        .hasMessage("Piece 2 of sequence 3 goes on at token 7 instead of 0");
  }

  private static Iterator<Fragment> fragments(
      List<String> texts, long position, int sequence, int piece) {
    return new SequencePacker(
        TOKENIZER,
        new SequenceLayout(sequence, piece),
        texts.stream().map(Documents::utf8).iterator(),
        position);
  }

  private static List<Fragment> merged(List<Iterator<Fragment>> partitions) {
    List<Fragment> all = new ArrayList<>();
    partitions.forEach(partition -> partition.forEachRemaining(all::add));
    all.sort(
        Comparator.comparingLong(Fragment::getSequence)
            .thenComparingInt(Fragment::getPiece)
            .thenComparingInt(Fragment::getStart));
    List<Fragment> pieces = new ArrayList<>();
    new PieceMerger(all.iterator()).forEachRemaining(pieces::add);
    return pieces;
  }
}
