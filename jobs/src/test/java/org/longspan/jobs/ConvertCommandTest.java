package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An MLA model trained, converted, measured and trained on, by commands. */
@Timeout(300)
class ConvertCommandTest {
  private static final String LOCAL = "local[1]";
  private static final Pattern LOSS = Pattern.compile("Validation loss  ([0-9.]+) nats a token");

  @TempDir private Path folder;

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private String configuration(String latent, int steps) throws IOException {
    return Files.writeString(
            folder.resolve("run-" + steps + ".yaml"),
            """
            model: {width: 16, heads: 4, layers: 2, pattern: [lightning, latent], latent: {rank: 16, rope: 2, %s}}
            train: {steps: %d, learning-rate: 0.01, warmup: 2}
            kernel: cpu
            """
                .formatted(latent, steps))
        .toString();
  }

  private static CommandRunner succeed(String... arguments) {
    CommandRunner run = CommandRunner.run(arguments);
    assertThat(run.exitCode()).as(run.errors()).isZero();
    return run;
  }

  /** What a command prints for its user, which goes past the runner. */
  private static String printed(String... arguments) {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      succeed(arguments);
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** As {@code evaluate} prints it. */
  private String validationLoss(String run, String data) {
    Matcher loss =
        LOSS.matcher(
            printed("evaluate", "--checkpoint", path(run), "--data", data, "--master", LOCAL));
    assertThat(loss.find()).isTrue();
    return loss.group(1);
  }

  private String[] generating(String run, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("generate", "--checkpoint", path(run), "--prompt", "ab"));
    arguments.addAll(List.of("--temperature", "0"));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  private CommandRunner generate(String run, String... more) {
    return succeed(generating(run, more));
  }

  @Test
  void shouldSayWhichRanksHadamardTakes() {
    assertThat(CommandRunner.run("convert", "--help").output().replaceAll("\\s+", " "))
        .contains("hadamard, by random signs, for a ", "rank that is a power of two");
  }

  @Test
  void shouldConvertATrainedModelAndLetItTrainOn() throws IOException {
    String data = SmallDataset.prepare(folder);
    succeed(
        "train",
        "--config",
        configuration("form: mla", 3),
        "--data",
        data,
        "--output",
        path("mla"),
        // More than the groups that it is converted to.
        "--set",
        "mesh.tensor=4",
        "--master",
        "local[4]");
    // On as many tensor ranks as it was trained on.
    assertThat(generate("mla").errors())
        .contains("Cache of each of 4 tensor ranks: 72 bytes a token (mla: the whole latent), and ")
        .contains("whatever the length, in numbers of 4 bytes.")
        .contains("Speed: ");
    assertThat(generate("mla", "--tensor-ranks", "2").errors())
        .contains(
            "Cache of each of 2 tensor ranks: 72 bytes a token (mla: the whole latent), and ");
    assertThat(generate("mla", "--tensor-ranks", "2", "--cache", "tokens").errors())
        .contains("36 bytes a token (mla: the whole latent of its share of the tokens), and ");
    CommandRunner refused =
        CommandRunner.run(
            "convert",
            "--checkpoint",
            path("mla"),
            "--data",
            data,
            "--output",
            path("mlra"),
            "--to",
            "mlra");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.errors()).contains("--to is mlra; it takes tpla.");
    CommandRunner uneven =
        CommandRunner.run(
            "convert",
            "--checkpoint",
            path("mla"),
            "--data",
            data,
            "--output",
            path("uneven"),
            "--to",
            "tpla",
            "--groups",
            "3");
    assertThat(uneven.exitCode()).isEqualTo(2);
    assertThat(uneven.errors())
        .contains("--groups is 3; it takes a divisor of the checkpoint's model.latent.rank, 16.");
    String converted =
        printed(
            "convert",
            "--checkpoint",
            path("mla"),
            "--data",
            data,
            "--output",
            path("tpla"),
            "--to",
            "tpla",
            "--groups",
            "2",
            "--norm",
            "local",
            "--transform",
            "pca",
            "--master",
            LOCAL);
    String before = validationLoss("mla", data);
    String after = validationLoss("tpla", data);
    assertThat(converted)
        .contains("Validation loss  " + before + " nats a token before, " + after + " after (");
    assertThat(folder.resolve("tpla/checkpoints")).isNotEmptyDirectory();
    assertThat(generate("tpla", "--tensor-ranks", "2").errors())
        .contains("40 bytes a token (tpla: its groups of the latent), and ");
    // With one softmax over the whole latent, a converted model reads what the first one did.
    assertThat(printed(generating("tpla", "--tokens", "1")))
        .startsWith("ab")
        .isEqualTo(printed(generating("mla", "--tokens", "1")));
    generate("tpla", "--prompts", "form");
    CommandRunner tooMany =
        CommandRunner.run(
            "generate", "--checkpoint", path("tpla"), "--prompt", "ab", "--tensor-ranks", "4");
    assertThat(tooMany.exitCode()).isEqualTo(2);
    assertThat(tooMany.errors())
        .contains(
            "4 tensor ranks cannot share model.latent.groups of 2 equally; 1 or 2 would do for"
                + " --tensor-ranks.");
    assertThat(
            printed(
                "train",
                "--config",
                configuration("form: tpla, groups: 2, norm: local", 5),
                "--data",
                data,
                "--output",
                path("tpla"),
                "--resume",
                "--master",
                LOCAL))
        .contains("model.latent.prompts is form here and mla in the checkpoint");
    assertThat(folder.resolve("tpla/run.jsonl")).content().contains("\"step\":5");
  }
}
