package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training run that is told to end: what it says, and what it leaves. */
class InterruptionIT {
  private static final int TERMINATED = 143;

  private static final Pattern STOPPED =
      Pattern.compile("Stopped after step \\d+; --resume goes on from /\\S*/step-(\\d+)\n");

  @TempDir Path folder;

  @Test
  void shouldEndWithoutAStackTraceAndNameTheNewestCheckpoint() throws Exception {
    String data = SmallDataset.prepare(folder);
    try (CommandProcess stopped = train(data, "stopped")) {
      stopped.await("step \\d{2,}/");
      endAll(stopped);
      assertThat(stopped.end()).as(stopped.text()).isEqualTo(TERMINATED);
      assertThat(stopped.text()).doesNotContain("Exception", "\tat ");
      Matcher named = STOPPED.matcher(stopped.text());
      assertThat(named.find()).as(stopped.text()).isTrue();
      // A rank that has not heard of the end yet may still complete one.
      assertThat(newestCheckpoint("stopped") - Long.parseLong(named.group(1))).isBetween(0L, 1L);
      assertThat(log("stopped")).doesNotContain(" ERROR ");
    }
  }

  private CommandProcess train(String data, String output) throws IOException {
    Path configuration = Files.writeString(folder.resolve("run.yaml"), ReferenceRun.CONFIGURATION);
    return CommandProcess.start(
        folder,
        "train",
        "--config",
        configuration.toString(),
        "--data",
        data,
        "--output",
        folder.resolve(output).toString(),
        "--set",
        "train.steps=1000000",
        "--set",
        "train.checkpoint-every=1");
  }

  /**
   * The executors at the same moment, as Ctrl-C does; by another signal, as what is started in a
   * shell's background does not hear that one.
   */
  private static void endAll(CommandProcess run) {
    List<ProcessHandle> executors = run.process().descendants().toList();
    run.process().destroy();
    executors.forEach(ProcessHandle::destroy);
  }

  /** The most steps of a checkpoint that lies there when all is over. */
  private long newestCheckpoint(String output) throws IOException {
    try (Stream<Path> all = Files.list(folder.resolve(output).resolve("checkpoints"))) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith("step-"))
          .mapToLong(name -> Long.parseLong(name.substring("step-".length())))
          .max()
          .orElseThrow();
    }
  }

  private String log(String output) throws IOException {
    Path log = folder.resolve(output).resolve("longspan.log");
    return Files.exists(log) ? Files.readString(log) : "";
  }
}
