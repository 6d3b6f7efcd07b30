package org.longspan.jobs.livy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.longspan.jobs.CommandProcess;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.SmallDataset;

/**
 * What the tests by way of Livy share: a server, a dataset, and the losses that {@code longspan
 * train} gives on it.
 *
 * @param folder with {@code data} and {@code run.yaml}
 * @param reference the losses of {@link ReferenceRun}
 */
record LivyBed(LivyServer server, Path folder, List<String> reference) implements AutoCloseable {
  static LivyBed start() throws IOException, InterruptedException {
    Path folder = TestFolder.create("bed");
    LivyServer server = LivyServer.start(Path.of("target"));
    try {
      Files.writeString(folder.resolve("run.yaml"), ReferenceRun.CONFIGURATION);
      String data = SmallDataset.prepare(folder);
      return new LivyBed(server, folder, ReferenceRun.train(folder, data));
    } catch (AssertionError | IOException | InterruptedException failure) {
      server.close();
      throw failure;
    }
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

  /** The losses of a run that was submitted to {@code output}. */
  List<String> losses(String output) throws IOException {
    return ReferenceRun.losses(folder.resolve(output));
  }

  @Override
  public void close() {
    server.close();
    TestFolder.delete(folder);
  }
}
