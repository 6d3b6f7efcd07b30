package org.longspan.datapipeline.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.Documents;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.TestSpark;

final class PrepareMistakesTest {
  @TempDir private Path folder;

  @Test
  void shouldRefuseMissingInput() {
    assertRefused(folder.resolve("nowhere"))
        .hasMessageEndingWith("nowhere does not exist.")
        .hasMessageStartingWith("Input ");
  }

  @Test
  void shouldRefuseEmptyFolder() throws IOException {
    Path input = Files.createDirectories(folder.resolve("in/inner")).getParent();
    Files.writeString(input.resolve(".hidden"), "not seen");
    assertRefused(input).hasMessageContaining("is empty: it holds no file that is not hidden.");
  }

  @Test
  void shouldRefuseFolderWithoutText() throws IOException {
    Path input = Files.createDirectories(folder.resolve("in"));
    Files.write(input.resolve("binary"), new byte[] {1, 0, 2});
    Files.write(input.resolve("empty"), new byte[0]);
    assertRefused(input)
        .hasMessageContaining(
            "holds no text: 1 files or entries are not UTF-8 text, 1 are empty, 0 are too large.");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void shouldNameTheColumnsOfATableWithoutTheText() {
    Path input = folder.resolve("in");
    TestSpark.session().range(3).selectExpr("id", "'x' as body").write().parquet(path(input));
    assertRefused(input)
        .hasMessageEndingWith(
            "has no column 'text'; its columns are id, body: name the one with the text.");
  }

  @Test
  void shouldRefuseAColumnThatIsNotText() {
    Path input = folder.resolve("in");
    TestSpark.session().range(3).selectExpr("id as text").write().parquet(path(input));
    assertRefused(input).hasMessageContaining("is not text but").hasMessageContaining("int64");
  }

  @Test
  void shouldRefuseATruncatedTable() throws IOException {
    Path input = Files.createDirectories(folder.resolve("in"));
    Path written = folder.resolve("written");
    TestSpark.session().range(3).selectExpr("'x' as text").write().parquet(path(written));
    try (var files = Files.list(written)) {
      Path table = files.filter(p -> p.toString().endsWith(".parquet")).findAny().orElseThrow();
      byte[] bytes = Files.readAllBytes(table);
      Files.write(input.resolve("t.parquet"), Arrays.copyOf(bytes, bytes.length - 7));
    }
    assertRefused(input).hasMessageContaining("t.parquet is truncated or damaged (");
  }

  @Test
  void shouldRefuseABrokenArchive() throws IOException {
    Path input = Files.writeString(folder.resolve("in.zip"), "no archive at all");
    assertRefused(input).hasMessageContaining("in.zip cannot be read behind its first 0 entries");
  }

  @Test
  void shouldRefuseATruncatedArchive() throws IOException {
    Path whole = folder.resolve("whole");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(whole))) {
      Documents.entry(zip, "a", Documents.utf8("first"));
      Documents.entry(zip, "b", Documents.utf8(Documents.random(1, 5000, 1).get(0)));
    }
    byte[] bytes = Files.readAllBytes(whole);
    Path input = folder.resolve("in.zip");
    Files.write(input, Arrays.copyOf(bytes, bytes.length / 2));
    assertRefused(input).hasMessageContaining("behind its first 2 entries");
  }

  @Test
  void shouldRefuseToOverwrite() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), List.of("one", "two"));
    Files.writeString(Files.createDirectories(folder.resolve("out")).resolve("mine"), "mine");
    assertRefused(input)
        .hasMessageEndingWith("out exists already; delete it or name another folder.");
    assertThat(folder.resolve("out/mine")).exists();
  }

  @Test
  void shouldRefuseOneDocumentWithValidation() throws IOException {
    Path input = Documents.folder(folder.resolve("in"), List.of("same", "same"));
    assertRefused(input)
        .hasMessageContaining("The input holds one text only (documents: 2)")
        .hasMessageContaining("set the validation share to 0");
  }

  @Test
  void shouldRefuseTooShortSequences() {
    assertThatThrownBy(() -> PrepareOptions.of(List.of("in"), "out", 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("Sequence length 1 is too short; a sequence needs at least 2 tokens.");
  }

  @Test
  void shouldRefuseAShareOutOfRange() {
    PrepareOptions options = PrepareOptions.of(List.of("in"), "out", 8);
    assertThatThrownBy(() -> options.withValidationShare(1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("Validation share 1.0 is out of range; give at least 0 and less than 1.");
    assertThatThrownBy(() -> options.withValidationShare(Double.NaN))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void shouldRefuseAnUnknownFileSystem() {
    assertThatThrownBy(
            () ->
                Prepare.run(
                    TestSpark.session(), PrepareOptions.of(List.of("nofs://x/y"), "out", 8)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("Path 'nofs://x/y' cannot be used: ");
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(Path input) {
    PrepareOptions options =
        PrepareOptions.of(List.of(path(input)), path(folder.resolve("out")), 8);
    return assertThatThrownBy(() -> Prepare.run(TestSpark.session(), options))
        .isInstanceOf(InvalidInputException.class);
  }

  private static String path(Path path) {
    return path.toString();
  }
}
