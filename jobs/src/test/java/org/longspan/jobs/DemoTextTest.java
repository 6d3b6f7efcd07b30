package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTextTest {
  @TempDir Path folder;

  @Test
  void shouldTakeSourcesOfAnySizeAndLeaveTheRest() throws IOException {
    Path archive = folder.resolve("sources.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
      add(zip, "org/a/One.scala", "object One");
      add(zip, "org/a/Two.java", "class Two {}");
      add(zip, "org/a/page.js", "var page");
      add(zip, "org/a/Generated.java", "x".repeat(1_000_001));
      add(zip, "../Outside.java", "class Outside {}");
    }
    Path text = folder.resolve("text");
    DemoText.unpack(archive, text);
    try (var files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile))
          .containsExactlyInAnyOrder(
              archive,
              text.resolve("org/a/One.scala"),
              text.resolve("org/a/Two.java"),
              text.resolve("org/a/Generated.java"));
    }
    assertThat(text.resolve("org/a/One.scala")).hasContent("object One");
  }

  private static void add(ZipOutputStream zip, String name, String text) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(text.getBytes(StandardCharsets.UTF_8));
    zip.closeEntry();
  }
}
