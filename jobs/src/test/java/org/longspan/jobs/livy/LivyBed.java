package org.longspan.jobs.livy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.jobs.SmallDataset;

/**
 * What the tests by way of Livy share: a server, a dataset, and the losses that {@code longspan
 * train} gives on it.
 *
 * @param folder with {@code data}, {@code run.yaml} and the reference's run in {@code train}
 */
record LivyBed(LivyServer server, Path folder) implements AutoCloseable {
  /** Steps of a run that ends by itself. */
  static final int STEPS = 4;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String CONFIGURATION =
      """
      model: {width: 16, heads: 2, layers: 2, pattern: [lightning, local], window: 32, convolution: 3}
      mesh: {sequence: 2}
      train: {steps: %d, checkpoint-every: 2, warmup: 2, learning-rate: 0.01}
      deterministic: true
      """
          .formatted(STEPS);

  static LivyBed start() throws IOException, InterruptedException {
    Path folder = TestFolder.create("bed");
    LivyServer server = LivyServer.start(Path.of("target"));
    try {
      Files.writeString(folder.resolve("run.yaml"), CONFIGURATION);
      SmallDataset.prepare(folder);
      try (CommandProcess train =
          CommandProcess.start(
              folder,
              "train",
              "--config",
              folder.resolve("run.yaml").toString(),
              "--data",
              folder.resolve("data").toString(),
              "--output",
              folder.resolve("train").toString())) {
        if (train.end() != 0) {
          throw new AssertionError(train.text());
        }
      }
    } catch (AssertionError | IOException | InterruptedException failure) {
      server.close();
      throw failure;
    }
    return new LivyBed(server, folder);
  }

  /** Submits a run of the bed's configuration. */
  CommandProcess submit(String output, String... more) throws IOException {
    String[] arguments = {
      "submit",
      "--to",
      "livy",
      "--url",
      server.url(),
      "--config",
      folder.resolve("run.yaml").toString(),
      "--data",
      folder.resolve("data").toString(),
      "--output",
      folder.resolve(output).toString()
    };
    String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return CommandProcess.start(folder, all);
  }

  /** What a run logged of each step that another machine would have to repeat to the last bit. */
  List<String> losses(String output) throws IOException {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("run.jsonl"))) {
      JsonNode step = JSON.readTree(line);
      losses.add(step.path("step") + " " + step.path("loss") + " " + step.path("gradient_norm"));
    }
    return losses;
  }

  @Override
  public void close() {
    server.close();
    TestFolder.delete(folder);
  }
}
