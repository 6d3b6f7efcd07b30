package org.longspan.datapipeline.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.TestSpark;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;

final class DatasetTest {
  @TempDir private static Path prepared;
  @TempDir private Path folder;
  private Path output;

  @BeforeAll
  static void prepare() throws IOException {
    Path input = Documents.folder(prepared.resolve("in"), Documents.random(9, 90, 4));
    Prepare.run(
        TestSpark.session(),
        PrepareOptions.of(List.of(input.toString()), prepared.resolve("out").toString(), 32)
            .withValidationShare(0));
  }

  @BeforeEach
  void copy() throws IOException {
    Path original = prepared.resolve("out");
    output = folder.resolve("out");
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : files.toList()) {
        Files.copy(file, output.resolve(original.relativize(file).toString()));
      }
    }
  }

  @Test
  void shouldRefuseAMissingFolder() {
    output = folder.resolve("nowhere");
    assertRefused()
        .hasMessageEndingWith("nowhere does not exist; give the folder that prepare wrote.");
  }

  @Test
  void shouldRefuseAFile() {
    output = output.resolve(Manifest.FILE);
    assertRefused().hasMessageContaining("manifest.json is a file; give the folder");
  }

  @Test
  void shouldRefuseAnyOtherFolder() {
    output = prepared.resolve("in");
    assertRefused().hasMessageContaining("is not a dataset: it has no manifest.json");
  }

  @Test
  void shouldRefuseAnIncompleteDataset() throws IOException {
    Files.delete(output.resolve(Manifest.FILE));
    assertRefused()
        .hasMessageContaining("is incomplete: it has no manifest.json because prepare did not");
  }

  @Test
  void shouldRefuseADamagedManifest() throws IOException {
    rewrite(output.resolve(Manifest.FILE), Documents.utf8("{\"format_version\": 1, \"x\":"));
    assertRefused().hasMessageContaining("manifest.json is damaged (");
  }

  @Test
  void shouldRefuseAManifestThatLacksFields() throws IOException {
    rewrite(output.resolve(Manifest.FILE), Documents.utf8("{\"format_version\": 1}"));
    assertRefused().hasMessageContaining("manifest.json is damaged (");
  }

  @Test
  void shouldRefuseAnotherFormatVersion() throws IOException {
    Path manifest = output.resolve(Manifest.FILE);
    String json = Files.readString(manifest);
    assertThat(json).contains("\"format_version\" : 1");
    rewrite(
        manifest, Documents.utf8(json.replace("\"format_version\" : 1", "\"format_version\" : 7")));
    assertRefused().hasMessageContaining("has format version 7, but this release reads version 1");
  }

  @Test
  void shouldRefuseATruncatedFile() throws IOException {
    Path file = file();
    byte[] bytes = Files.readAllBytes(file);
    rewrite(file, Arrays.copyOf(bytes, bytes.length - 10));
    assertRefused()
        .hasMessageContaining(
            "has %d bytes, but the manifest says %d: it is truncated"
                .formatted(bytes.length - 10, bytes.length));
  }

  @Test
  void shouldRefuseAMissingFile() throws IOException {
    Path file = file();
    Files.delete(file);
    assertRefused().hasMessageContaining(file.getFileName() + " is missing");
  }

  @Test
  void shouldRefuseAFileWithADamagedFooter() throws IOException {
    Path file = file();
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, bytes.length - 8, bytes.length, (byte) 0);
    rewrite(file, bytes);
    Dataset dataset = open();
    try (SequenceReader reader = dataset.split(Split.TRAIN).reader()) {
      assertThatThrownBy(() -> reader.read(0, 0, 1))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(file.getFileName() + " is truncated or damaged (");
    }
  }

  @Test
  void shouldRefuseAnyByteOfTokensThatChanged() throws IOException {
    Path file = file();
    byte[] bytes = Files.readAllBytes(file);
    BlockMetaData group;
    try (ParquetFileReader footer =
        ParquetFileReader.open(
            HadoopInputFile.fromPath(
                new org.apache.hadoop.fs.Path(file.toUri()), TestSpark.hadoop()))) {
      group = footer.getFooter().getBlocks().get(0);
    }
    ColumnChunkMetaData tokens =
        group.getColumns().stream()
            .filter(column -> column.getPath().toDotString().startsWith(PieceSchema.TOKENS))
            .findFirst()
            .orElseThrow();
    // The last byte of a column's chunk is the last of its last page's data.
    int damaged = Math.toIntExact(tokens.getStartingPos() + tokens.getTotalSize() - 1);
    bytes[damaged] ^= 1;
    rewrite(file, bytes);
    Dataset dataset = open();
    long last = dataset.manifest().train().files().get(0).lastSequence();
    try (SequenceReader reader = dataset.split(Split.TRAIN).reader()) {
      assertThatThrownBy(
              () -> {
                for (long sequence = 0; sequence <= last; sequence++) {
                  reader.read(sequence, 0, reader.length(sequence));
                }
              })
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(file.getFileName() + " is truncated or damaged (")
          .hasMessageContaining("CRC");
    }
  }

  @Test
  void shouldFindADamagedFileByItsChecksum() throws IOException {
    Path file = file();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 3] ^= 1;
    rewrite(file, bytes);
    Dataset dataset = open();
    assertThatThrownBy(dataset::verify)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has checksum ");
  }

  @Test
  void shouldRefuseAnotherTokenizer() {
    Dataset dataset = open();
    dataset.requireTokenizer("bytes", 258);
    assertThatThrownBy(() -> dataset.requireTokenizer("words", 32_000))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(
            "was made by tokenizer 'bytes' with a vocabulary of 258, but 'words' with 32000");
  }

  @Test
  void shouldRefuseASplitThatItLacks() {
    Dataset dataset = open();
    assertThatThrownBy(() -> dataset.split(Split.VALIDATION))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has no validation split");
  }

  /** Without the checksum that Hadoop's local file system keeps beside a file. */
  private static void rewrite(Path file, byte[] bytes) throws IOException {
    Files.deleteIfExists(file.resolveSibling("." + file.getFileName() + ".crc"));
    Files.write(file, bytes);
  }

  private Dataset open() {
    return Dataset.open(TestSpark.hadoop(), output.toString());
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused() {
    return assertThatThrownBy(this::open).isInstanceOf(InvalidInputException.class);
  }

  private Path file() {
    return output.resolve("train").resolve(open().manifest().train().files().get(0).name());
  }
}
