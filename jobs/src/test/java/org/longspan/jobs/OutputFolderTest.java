package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.InvalidInputException;

class OutputFolderTest {
  @TempDir private Path folder;

  @Test
  void shouldLeaveNothingWhereItCanWrite() throws IOException {
    OutputFolder.requireWritable(new Configuration(), folder.resolve("a/b").toString());
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void shouldRefuseAFolderInsideAFile() throws IOException {
    Files.writeString(folder.resolve("file"), "text");
    assertThatThrownBy(
            () ->
                OutputFolder.requireWritable(
                    new Configuration(), folder.resolve("file/run").toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("cannot be written");
  }

  @Test
  void shouldRefuseWhereNothingCanBeMade() {
    assertThatThrownBy(() -> OutputFolder.requireWritable(new Configuration(), "/proc/none/run"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("The output /proc/none/run cannot be written");
  }
}
