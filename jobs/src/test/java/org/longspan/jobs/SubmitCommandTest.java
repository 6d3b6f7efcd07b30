package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.configuration.Options;

class SubmitCommandTest {
  @TempDir Path folder;

  @Test
  void shouldRefuseAServiceThatItDoesNotKnow() throws IOException {
    assertThat(submit("--to", "lyvi").errors()).contains("--to", "livy", "not 'lyvi'");
  }

  @Test
  void shouldAskForLivysAddress() throws IOException {
    CommandRunner run = submit("--to", "livy", "--data", "nowhere", "--sequence-length", "64");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors())
        .isEqualTo(
            "longspan submit: --url is missing; it takes Livy's address, such as"
                + " http://livy.example:8998.\n");
  }

  @Test
  void shouldNameADatasetThatIsNotThereBeforeItSubmits() throws IOException {
    Path jar = Files.createFile(folder.resolve("application.jar"));
    CommandRunner run =
        submit(
            "--to",
            "livy",
            "--url",
            "http://127.0.0.1:1",
            "--jar",
            jar.toString(),
            "--data",
            folder.resolve("nowhere").toString());
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("nowhere").hasLineCount(1);
  }

  @Test
  void shouldReadAConfigurationByItsUrl() throws IOException {
    Path file = Files.writeString(folder.resolve("run.yaml"), "seed: 7\n");
    assertThat(
            ConfigurationFile.load(file.toUri().toString(), Map.of(), new Configuration())
                .get(Options.SEED))
        .isEqualTo(7);
    Path missing = folder.resolve("nowhere.yaml");
    CommandRunner run =
        CommandRunner.run("train", "--config", missing.toUri().toString(), "--output", "o");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors())
        .isEqualTo("longspan train: The configuration " + missing + " is missing.\n");
  }

  private CommandRunner submit(String... more) throws IOException {
    Path config = Files.writeString(folder.resolve("run.yaml"), "seed: 2\n");
    String[] arguments = new String[5 + more.length];
    System.arraycopy(
        new String[] {
          "submit", "--config", config.toString(), "--output", folder.resolve("run").toString()
        },
        0,
        arguments,
        0,
        5);
    System.arraycopy(more, 0, arguments, 5, more.length);
    return CommandRunner.run(arguments);
  }
}
