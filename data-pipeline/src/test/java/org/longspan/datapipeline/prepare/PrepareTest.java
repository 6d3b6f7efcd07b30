package org.longspan.datapipeline.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipOutputStream;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.SplitContent;
import org.longspan.datapipeline.TestSpark;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.dataset.TokenSlice;

final class PrepareTest {
  @TempDir private Path folder;

  @Test
  void shouldKeepEveryDocumentInOneSplit() throws IOException {
    List<String> texts = Documents.random(60, 200, 1);
    Path input = Documents.folder(folder.resolve("in"), texts);
    Manifest manifest = run(options(input, "out", 64).withValidationShare(0.2)).manifest();
    Dataset dataset = open("out");
    SplitContent train = new SplitContent(dataset, Split.TRAIN);
    SplitContent validation = new SplitContent(dataset, Split.VALIDATION);
    List<String> found = new ArrayList<>(train.documents());
    found.addAll(validation.documents());
    assertThat(found).containsExactlyInAnyOrderElementsOf(texts);
    assertThat(validation.documents()).hasSizeBetween(4, 24);

    assertThat(manifest.train().documents()).isEqualTo(train.documents().size());
    assertThat(manifest.train().tokens()).isEqualTo(train.tokens().length);
    assertThat(manifest.train().bytes())
        .isEqualTo(train.documents().stream().mapToLong(t -> Documents.utf8(t).length).sum());
    assertThat(manifest.validation().documents()).isEqualTo(validation.documents().size());
    assertThat(manifest.validation().tokens()).isEqualTo(validation.tokens().length);
    assertThat(manifest.tokenizer()).isEqualTo("bytes");
    assertThat(manifest.vocabulary()).isEqualTo(258);
    assertThat(dataset.manifest()).isEqualTo(manifest);
    dataset.verify();
  }

  @Test
  void shouldPackAllButTheLastSequenceFull() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), Documents.random(30, 100, 2));
    run(options(input, "out", 50));
    List<TokenSlice> sequences = new SplitContent(open("out"), Split.TRAIN).sequences();
    long tokens = open("out").manifest().train().tokens();
    assertThat(sequences).hasSize((int) ((tokens + 49) / 50));
    for (int i = 0; i < sequences.size(); i++) {
      int expected = (int) Math.min(50, tokens - i * 50L);
      assertThat(sequences.get(i).length()).isEqualTo(expected);
      assertThat(sequences.get(i).documentStarts()[0]).isZero();
    }
  }

  @Test
  void shouldGiveTheSameDatasetWhateverThePartitioning() throws IOException {
    List<String> texts = Documents.random(80, 150, 3);
    Path files = Documents.folder(folder.resolve("in"), texts);
    Path archive = folder.resolve("in.zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
      for (int i = texts.size() - 1; i >= 0; i--) {
        Documents.entry(zip, "x/" + i, Documents.utf8(texts.get(i)));
      }
    }
    PrepareOptions one = options(files, "one", 96).withPieceLength(32).withTokensPerFile(1500);
    PrepareOptions five = options(archive, "five", 96).withPieceLength(32).withTokensPerFile(1500);
    Manifest first = run(one.withPartitions(1)).manifest();
    Manifest second = run(five.withPartitions(5)).manifest();
    assertThat(first.train().files()).hasSizeGreaterThan(2);
    assertThat(second.checksum()).isEqualTo(first.checksum());
    for (Split split : Split.values()) {
      assertThat(new SplitContent(open("five"), split).tokens())
          .isEqualTo(new SplitContent(open("one"), split).tokens());
    }
  }

  @Test
  void shouldReadEntriesOfArchivesAndCountWhatIsNotText() throws IOException {
    Path input = Files.createDirectories(folder.resolve("in/deeper"));
    Files.writeString(input.resolve("plain"), "plain file");
    Files.writeString(input.resolve(".hidden"), "hidden file");
    Files.write(input.resolve("latin.txt"), new byte[] {'a', (byte) 0xE9, 'b'});
    Files.write(input.resolve("empty.txt"), new byte[0]);
    try (OutputStream file = Files.newOutputStream(input.resolve("code.jar"));
        ZipOutputStream zip = new ZipOutputStream(file)) {
      Documents.entry(zip, "a/A.java", Documents.utf8("class A"));
      Documents.entry(zip, "a/", new byte[0]);
      Documents.entry(zip, "a/A.class", new byte[] {(byte) 0xCA, (byte) 0xFE, 0, 1});
      Documents.entry(zip, "b/.git/config", Documents.utf8("hidden entry"));
      Documents.entry(zip, "b/empty", new byte[0]);
      Documents.entry(zip, "b/B.scala", Documents.utf8("object B"));
    }
    PrepareResult result = run(options(folder.resolve("in"), "out", 16));
    assertThat(result.manifest().skipped()).isEqualTo(new SkippedInput(2, 2, 0));
    assertThat(result.skippedNames())
        .containsExactlyInAnyOrder(
            input + "/latin.txt",
            input + "/empty.txt",
            input + "/code.jar!/a/A.class",
            input + "/code.jar!/b/empty");
    assertThat(allDocuments("out")).containsExactlyInAnyOrder("plain file", "class A", "object B");
  }

  @Test
  void shouldReadTheTextColumnOfParquetInAFolderWithABracket() throws IOException {
    List<String> texts = List.of("erste Zeile", "zweite Zeile", "dritte Zeile");
    String table = folder.resolve("in[1]/table").toString();
    writeTable(texts, "body", table);
    Manifest manifest = run(options(Path.of(table), "out", 16).withTextColumn("body")).manifest();
    assertThat(allDocuments("out")).containsExactlyInAnyOrderElementsOf(texts);
    assertThat(manifest.skipped().total()).isZero();
  }

  @Test
  void shouldTakeParquetAndTextFilesTogether() throws IOException {
    writeTable(List.of("from a table", "", "another"), "text", folder.resolve("t").toString());
    Path file = Files.writeString(folder.resolve("f.txt"), "from a file");
    PrepareOptions options =
        PrepareOptions.of(
            List.of(folder.resolve("t").toString(), file.toString(), file.toString()),
            folder.resolve("out").toString(),
            8);
    assertThat(run(options).manifest().skipped()).isEqualTo(new SkippedInput(0, 1, 0));
    assertThat(allDocuments("out"))
        .containsExactlyInAnyOrder("from a table", "another", "from a file");
  }

  @Test
  void shouldKeepOneOfTwoDocumentsForValidation() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), List.of("one", "two"));
    run(options(input, "little", 16).withValidationShare(0.001));
    run(options(input, "much", 16).withValidationShare(0.999));
    for (String output : List.of("little", "much")) {
      assertThat(new SplitContent(open(output), Split.TRAIN).documents()).hasSize(1);
      assertThat(new SplitContent(open(output), Split.VALIDATION).documents()).hasSize(1);
    }
  }

  @Test
  void shouldHaveNoValidationWithoutShare() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), List.of("alone"));
    run(options(input, "out", 4).withValidationShare(0));
    assertThat(open("out").contains(Split.VALIDATION)).isFalse();
    assertThat(new SplitContent(open("out"), Split.TRAIN).documents()).containsExactly("alone");
  }

  @Test
  void shouldWriteColumnsThatSparkReads() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), List.of("abcdef"));
    run(options(input, "out", 6).withPieceLength(4).withValidationShare(0));
    List<Row> rows =
        TestSpark.session()
            .read()
            .parquet(folder.resolve("out/train").toString())
            .orderBy("sequence", "piece")
            .collectAsList();
    assertThat(rows).hasSize(3);
    assertThat(rows.get(1).getLong(rows.get(1).fieldIndex("sequence"))).isZero();
    assertThat(rows.get(1).getInt(rows.get(1).fieldIndex("piece"))).isEqualTo(1);
    assertThat(rows.get(1).getInt(rows.get(1).fieldIndex("carried"))).isEqualTo(4);
    assertThat(rows.get(1).<Object>getList(rows.get(1).fieldIndex("tokens")))
        .isEqualTo(List.of((int) 'd', (int) 'e'));
    assertThat(rows.get(2).<Object>getList(rows.get(2).fieldIndex("document_starts")))
        .isEqualTo(List.of(0));
  }

  private PrepareOptions options(Path input, String output, int sequenceLength) {
    return PrepareOptions.of(
        List.of(input.toString()), folder.resolve(output).toString(), sequenceLength);
  }

  private static PrepareResult run(PrepareOptions options) {
    return Prepare.run(TestSpark.session(), options);
  }

  private Dataset open(String output) {
    return Dataset.open(TestSpark.hadoop(), folder.resolve(output).toString());
  }

  private List<String> allDocuments(String output) {
    List<String> texts = new ArrayList<>();
    for (Split split : Split.values()) {
      texts.addAll(new SplitContent(open(output), split).documents());
    }
    return texts;
  }

  private static void writeTable(List<String> texts, String column, String path) {
    TestSpark.session().createDataset(texts, Encoders.STRING()).toDF(column).write().parquet(path);
  }
}
