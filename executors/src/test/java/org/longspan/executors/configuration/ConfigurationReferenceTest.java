package org.longspan.executors.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigurationReferenceTest {
  private static final Path PAGE = Path.of("..", "docs", "configuration.md");
  private static final String REGENERATE =
      "mvn -pl executors test -Dtest=ConfigurationReferenceTest -Dlongspan.regenerate=true";

  @Test
  void shouldFindTheWrittenPageUpToDate() throws IOException {
    if (Boolean.getBoolean("longspan.regenerate")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, ConfigurationReference.markdown());
    }
    assertThat(PAGE)
        .as("docs/configuration.md is made from the options; regenerate it: %s", REGENERATE)
        .exists()
        .hasContent(ConfigurationReference.markdown());
  }

  @Test
  void shouldNameEveryOption() {
    assertThat(Options.all())
        .allSatisfy(
            option ->
                assertThat(ConfigurationReference.markdown())
                    .contains("| `" + option.key() + "` |"));
  }
}
