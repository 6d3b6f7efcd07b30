package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LongspanTest {
  @TempDir Path folder;

  @Test
  void shouldListEveryCommandInItsHelp() {
    CommandRunner help = CommandRunner.run("--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.output())
        .contains(
            "prepare",
            "train",
            "submit",
            "evaluate",
            "generate",
            "convert",
            "demo",
            "bench",
            "conform")
        .contains("--version");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"prepare", "train", "submit", "evaluate", "generate", "demo", "bench", "conform"})
  void shouldShowAnExampleOfEveryCommand(String command) {
    CommandRunner help = CommandRunner.run(command, "--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.output()).contains("Example").contains("  longspan " + command);
    assertThat(help.output().lines()).allMatch(line -> line.length() <= 80);
  }

  @Test
  void shouldNameItsVersions() {
    CommandRunner version = CommandRunner.run("--version");
    assertThat(version.exitCode()).isZero();
    assertThat(version.output())
        .matches("(?s)Longspan \\d.*Spark 4\\.\\d.*ND4J \\d.*Java \\d.*")
        .doesNotContain("${");
  }

  @Test
  void shouldNameTheNearestCommand() {
    assertMistake(
        CommandRunner.run("trian"),
        "longspan: Unknown command 'trian'; the nearest one is 'train'. Try 'longspan --help'.");
  }

  @Test
  void shouldNameNoCommandWhereNoneIsNear() {
    assertMistake(
        CommandRunner.run("foo"), "longspan: Unknown command 'foo'. Try 'longspan --help'.");
  }

  @Test
  void shouldAskForACommand() {
    assertMistake(CommandRunner.run(), "longspan: A command is missing. Try 'longspan --help'.");
  }

  @Test
  void shouldNameAnUnknownOption() {
    CommandRunner run = CommandRunner.run("train", "--config", "c", "--output", "o", "--resmue");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors())
        .contains("--resmue", "--resume")
        .endsWith("Try 'longspan train --help'.\n");
    assertThat(run.errors().lines()).hasSize(1);
  }

  @Test
  void shouldNameTheOptionsThatAreMissing() {
    assertMistake(
        CommandRunner.run("train"),
        "longspan train: Missing required options: '--config=FILE', '--output=FOLDER'."
            + " Try 'longspan train --help'.");
  }

  @Test
  void shouldNameAValueThatIsNoNumber() {
    CommandRunner run =
        CommandRunner.run("generate", "--checkpoint", "c", "--prompt", "p", "--tokens", "many");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("--tokens").contains("'many'");
    assertThat(run.errors().lines()).hasSize(1);
  }

  @Test
  void shouldNameTheChoicesOfAnOption() {
    CommandRunner run =
        CommandRunner.run(
            "conform", "--mixer", "softmax", "--ranks", "2", "--input", "a", "--output", "b");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("gated-delta or local or latent, not 'softmax'");
  }

  @Test
  void shouldSayThatASettingNeedsAnEqualsSign() {
    CommandRunner run =
        CommandRunner.run("train", "--config", "c", "--output", "o", "--set", "seed");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("KEY=VALUE", "seed").doesNotContain("option option");
    assertThat(run.errors().lines()).hasSize(1);
  }

  @Test
  void shouldRefuseAConfigurationThatIsNotThere() {
    assertMistake(
        CommandRunner.run("train", "--config", "nowhere.yaml", "--output", output()),
        "longspan train: The configuration nowhere.yaml is missing.");
  }

  @Test
  void shouldNameTheNearestKeyToAnUnknownOne() throws IOException {
    CommandRunner inFile =
        CommandRunner.run("train", "--config", config("model: {widht: 8}"), "--output", output());
    assertThat(inFile.exitCode()).isEqualTo(2);
    assertThat(inFile.errors()).contains("model.widht", "run.yaml", "model.width");
    CommandRunner inOption =
        CommandRunner.run(
            "train",
            "--config",
            config("seed: 2"),
            "--output",
            output(),
            "--set",
            "mesh.sequenc=2");
    assertThat(inOption.exitCode()).isEqualTo(2);
    assertThat(inOption.errors()).contains("mesh.sequenc ", "command line", "mesh.sequence");
  }

  @Test
  void shouldAskForADataset() throws IOException {
    CommandRunner run =
        CommandRunner.run("train", "--config", config("seed: 2"), "--output", output());
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("No dataset is named", "--data", "data.path");
  }

  @Test
  void shouldNameADatasetThatIsNotThere() throws IOException {
    CommandRunner run = train("--data", folder.resolve("nowhere").toString());
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("nowhere", "does not exist");
    assertThat(run.errors().lines()).hasSize(1);
  }

  @Test
  void shouldNotWriteOverAnotherRun() throws IOException {
    Files.createDirectories(folder.resolve("run"));
    Files.writeString(folder.resolve("run/run.jsonl"), "");
    assertMistake(
        train("--data", "d"),
        "longspan train: The output "
            + output()
            + " holds another run (run.jsonl), which has no checkpoint to go on from; delete the"
            + " folder, or name another one.");
    Files.createDirectories(folder.resolve("run/checkpoints"));
    assertMistake(
        train("--data", "d"),
        "longspan train: The output "
            + output()
            + " holds another run (checkpoints); go on with it by --resume, or name another folder.");
  }

  @Test
  void shouldNotResumeARunWithoutACheckpoint() throws IOException {
    CommandRunner nothing = train("--data", "d", "--resume");
    assertThat(nothing.exitCode()).isEqualTo(2);
    assertThat(nothing.errors()).contains("does not exist, so there is no run to resume");
    Files.createDirectories(folder.resolve("run/checkpoints"));
    CommandRunner empty = train("--data", "d", "--resume");
    assertThat(empty.exitCode()).isEqualTo(2);
    assertThat(empty.errors()).contains("holds no checkpoint to resume from");
  }

  @Test
  void shouldNameAnInputThatIsNotThere() {
    String input = folder.resolve("nothing.txt").toString();
    assertMistake(
        CommandRunner.run("prepare", "--input", input, "--output", output()),
        "longspan prepare: The input " + input + " does not exist; give a file or a folder.");
  }

  @Test
  void shouldRefuseAValidationShareOutOfRange() {
    CommandRunner run =
        CommandRunner.run(
            "prepare", "--input", "i", "--output", output(), "--validation-share", "1.5");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errors()).contains("1.5");
  }

  @Test
  void shouldNameACheckpointThatIsNotThere() {
    String nowhere = folder.resolve("nowhere").toString();
    CommandRunner evaluate = CommandRunner.run("evaluate", "--checkpoint", nowhere, "--data", "d");
    assertThat(evaluate.exitCode()).isEqualTo(2);
    assertThat(evaluate.errors()).contains(nowhere);
    assertThat(evaluate.errors().lines()).hasSize(1);
  }

  @Test
  void shouldRefuseNumbersThatMakeNoSense() {
    assertMistake(
        CommandRunner.run("evaluate", "--checkpoint", "c", "--data", "d", "--ranks", "0"),
        "longspan evaluate: --ranks is 0; it takes 1 or more.");
    assertMistake(
        CommandRunner.run("evaluate", "--checkpoint", "c", "--data", "d", "--data-ranks", "0"),
        "longspan evaluate: --data-ranks is 0; it takes 1 or more.");
    assertMistake(
        CommandRunner.run("generate", "--checkpoint", "c", "--prompt", "p", "--tokens", "0"),
        "longspan generate: --tokens is 0; it takes 1 or more.");
    assertMistake(
        CommandRunner.run("generate", "--checkpoint", "c", "--prompt", "p", "--temperature", "-1"),
        "longspan generate: --temperature is -1.0; it takes 0 or more.");
    assertMistake(
        CommandRunner.run("generate", "--checkpoint", "c", "--prompt", "p", "--tensor-ranks", "0"),
        "longspan generate: --tensor-ranks is 0; it takes 1 or more.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tokens | 0 | --tokens is 0; it takes 1 or more.",
        "--tokens | -5 | --tokens is -5; it takes 1 or more.",
        "--longest | -1 | --longest is -1; it takes 0 or more.",
        "--turns | 0 | --turns is 0; it takes 1 or more.",
        "--ranks | 2,4 | --ranks starts with 2; it takes 1 first, against which the others count."
      })
  void shouldRefuseToScaleWhatCannotBeMeasured(String option, String value, String sentence) {
    assertMistake(
        CommandRunner.run("bench", "scaling", option, value),
        "longspan bench scaling: " + sentence);
  }

  @Test
  void shouldRefuseARecallThatCannotBe() {
    assertMistake(
        CommandRunner.run("bench", "recall", "--ranks", "1"),
        "longspan bench recall: Recall needs 2 ranks or more, one with the keys and one with the"
            + " queries, not 1.");
    assertMistake(
        CommandRunner.run("bench", "recall", "--tokens", "15"),
        "longspan bench recall: Recall takes slices of 16 to 16,384 tokens, not 15.");
    assertMistake(
        CommandRunner.run("bench", "recall", "--steps", "0"),
        "longspan bench recall: --steps is 0; it takes 1 or more.");
    CommandRunner unknown = CommandRunner.run("bench", "recall", "--mixer", "softmax");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.errors())
        .contains("--mixer", "gated-delta or local or latent, not 'softmax'")
        .hasLineCount(1);
  }

  @Test
  void shouldNameTheBenchmarksThereAre() {
    assertMistake(
        CommandRunner.run("bench", "stpe"),
        "longspan bench: There is no benchmark 'stpe'. There are: step, kernels, memory,"
            + " collectives, overlap, scaling, latent, determinism, recall.");
  }

  @Test
  void shouldShowAStackTraceOnlyWhenVerbose() {
    String[] arguments = {"train", "--config", "nowhere.yaml", "--output", "o", "--verbose"};
    try {
      assertThat(CommandRunner.run(arguments).errors())
          .contains("nowhere.yaml is missing.")
          .contains("\tat org.longspan");
    } finally {
      System.clearProperty("longspan.log");
    }
  }

  private CommandRunner train(String... more) throws IOException {
    String[] arguments = new String[5 + more.length];
    System.arraycopy(
        new String[] {"train", "--config", config("seed: 2"), "--output", output()},
        0,
        arguments,
        0,
        5);
    System.arraycopy(more, 0, arguments, 5, more.length);
    return CommandRunner.run(arguments);
  }

  private String config(String yaml) throws IOException {
    return Files.writeString(folder.resolve("run.yaml"), yaml + "\n").toString();
  }

  private String output() {
    return folder.resolve("run").toString();
  }

  private static void assertMistake(CommandRunner run, String sentence) {
    assertThat(run.errors()).isEqualTo(sentence + "\n");
    assertThat(run.output()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(2);
  }
}
