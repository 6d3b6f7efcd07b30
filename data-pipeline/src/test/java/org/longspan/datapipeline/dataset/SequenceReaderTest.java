package org.longspan.datapipeline.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.SplitContent;
import org.longspan.datapipeline.TestSpark;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;

final class SequenceReaderTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"100,16", "33,32", "40,1", "700,1024"})
  void shouldReadEverySliceAsItLiesInTheSequence(int sequenceLength, int pieceLength)
      throws IOException {
    Dataset dataset = dataset(Documents.random(30, 60, 5), sequenceLength, pieceLength, 300);
    List<TokenSlice> whole = new SplitContent(dataset, Split.TRAIN).sequences();
    Random random = new Random(11);
    try (SequenceReader reader = dataset.split(Split.TRAIN).reader()) {
      for (int i = 0; i < 150; i++) {
        int sequence = random.nextInt(whole.size());
        int length = reader.length(sequence);
        int from = random.nextInt(length);
        int to = from + random.nextInt(length - from + 1);
        assertSlice(reader.read(sequence, from, to), whole.get(sequence), from, to);
      }
    }
  }

  @Test
  void shouldLetTwoReadersReadAtOnce() throws IOException {
    Dataset dataset = dataset(Documents.random(20, 60, 6), 64, 16, 1 << 20);
    List<TokenSlice> whole = new SplitContent(dataset, Split.TRAIN).sequences();
    try (SequenceReader left = dataset.split(Split.TRAIN).reader();
        SequenceReader right = dataset.split(Split.TRAIN).reader()) {
      for (int sequence = 0; sequence + 1 < whole.size(); sequence++) {
        assertSlice(left.read(sequence, 0, 32), whole.get(sequence), 0, 32);
        assertSlice(right.read(sequence, 32, 64), whole.get(sequence), 32, 64);
      }
    }
  }

  @Test
  void shouldReadASliceWithoutReadingTheFile() throws IOException {
    int length = 1 << 20;
    Dataset prepared = dataset(Documents.random(40, 80_000, 8), length, 1024, 1 << 24);
    DatasetFile file = prepared.manifest().train().files().get(0);
    assertThat(prepared.manifest().train().files()).hasSize(1);

    Configuration counting = TestSpark.hadoop();
    counting.set("fs.file.impl", CountingFileSystem.class.getName());
    counting.setBoolean("fs.file.impl.disable.cache", true);
    Dataset dataset = Dataset.open(counting, prepared.path());
    int from = length / 2;
    int to = from + length / 16;
    try (SequenceReader reader = dataset.split(Split.TRAIN).reader()) {
      long start = CountingFileSystem.bytesRead();
      TokenSlice slice = reader.read(0, from, to);
      long first = CountingFileSystem.bytesRead() - start;
      assertThat(slice.length()).isEqualTo(length / 16);
      assertThat(first).isPositive().isLessThan(file.size() / 4);

      start = CountingFileSystem.bytesRead();
      reader.read(0, 0, 1024);
      assertThat(CountingFileSystem.bytesRead() - start).isPositive().isLessThan(file.size() / 32);
    }
  }

  @Test
  void shouldRefuseASliceOutsideOfTheSequence() throws IOException {
    Dataset dataset = dataset(List.of("abc", "defg"), 4, 2, 1 << 20);
    try (SequenceReader reader = dataset.split(Split.TRAIN).reader()) {
      assertThatThrownBy(() -> reader.read(0, 2, 5))
          .hasMessage("Tokens [2, 5) of sequence 0 with 4 tokens");
      assertThatThrownBy(() -> reader.read(9, 0, 1))
          .hasMessageStartingWith("Sequence 9 of a split with 2 sequences");
      assertThat(reader.read(0, 3, 3).length()).isZero();
    }
  }

  private static void assertSlice(TokenSlice slice, TokenSlice whole, int from, int to) {
    assertThat(slice.tokens()).isEqualTo(Arrays.copyOfRange(whole.tokens(), from, to));
    assertThat(slice.documentStarts())
        .isEqualTo(
            Arrays.stream(whole.documentStarts())
                .filter(start -> start >= from && start < to)
                .map(start -> start - from)
                .toArray());
    if (to > from) {
      int document =
          Arrays.stream(whole.documentStarts()).filter(s -> s <= from).max().orElseThrow();
      assertThat(slice.before()).isEqualTo(from - document);
    }
  }

  private Dataset dataset(List<String> texts, int sequence, int piece, long tokensPerFile)
      throws IOException {
    Path input = Documents.folder(folder.resolve("in"), texts);
    String output = folder.resolve("out").toString();
    Prepare.run(
        TestSpark.session(),
        PrepareOptions.of(List.of(input.toString()), output, sequence)
            .withPieceLength(piece)
            .withTokensPerFile(tokensPerFile));
    return Dataset.open(TestSpark.hadoop(), output);
  }
}
