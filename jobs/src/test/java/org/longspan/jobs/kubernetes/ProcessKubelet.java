package org.longspan.jobs.kubernetes;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.longspan.jobs.Waiting;

/**
 * The script that stands for a kubelet: it runs the pods of the namespace as processes of this
 * machine. Of images it has Longspan's, which is an unmodified Spark and the application jar.
 */
final class ProcessKubelet implements LogKubelet.Log, AutoCloseable {
  static final String SCRIPT = "LONGSPAN_KUBELET";
  static final String IMAGE = "longspan:latest";

  /** The node that it makes. */
  static final String NODE = "this";

  private static final int PAUSE_MILLISECONDS = 100;

  private final Path folder;
  private final Process process;

  private ProcessKubelet(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
  }

  static ProcessKubelet start(RealApiServer server, Path folder) throws IOException {
    Path target = Path.of(System.getProperty("longspan.application")).getParent();
    List<String> command =
        List.of(
            "python3",
            System.getenv(SCRIPT),
            "--server",
            server.url(),
            "--token",
            RealApiServer.ADMIN,
            "--namespace",
            ClusterSetup.NAMESPACE,
            "--image",
            IMAGE + "=" + image(folder, target),
            "--local",
            "/opt/longspan=" + target,
            "--log-dir",
            folder.resolve("pods").toString(),
            "--seconds",
            "600");
    return new ProcessKubelet(folder, ClusterProcess.start(folder, "kubelet", Map.of(), command));
  }

  /** Spark as the image has it: the script finds the image's paths, but not in URIs. */
  private static Path image(Path folder, Path target) throws IOException {
    Path spark = Path.of(System.getenv("LONGSPAN_SPARK_HOME"));
    Path image = Files.createDirectories(folder.resolve("image"));
    Files.createSymbolicLink(image.resolve("jars"), spark.resolve("jars"));
    Path submit = Files.createDirectories(image.resolve("bin")).resolve("spark-submit");
    Files.writeString(
        submit,
        """
        #!/usr/bin/env bash
        export SPARK_HOME=%1$s
        sed -i 's#:///opt/longspan#:%2$s#' "$SPARK_CONF_DIR/spark.properties"
        exec %1$s/bin/spark-submit "${@/#local:\\/\\/\\/opt\\/longspan/local:%2$s}"
        """
            .formatted(spark, target));
    Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
    return image;
  }

  /** What a pod's container has written. */
  Path log(String pod) {
    return folder.resolve("pods").resolve(pod).resolve("log");
  }

  /** The process of a pod's container, when it runs. */
  ProcessHandle container(String pod) throws IOException, InterruptedException {
    Matcher runs = Waiting.forMatch(said(), Pattern.compile("runs " + pod + " \\S+ pid (\\d+)"));
    return ProcessHandle.of(Long.parseLong(runs.group(1))).orElseThrow();
  }

  /** How many containers run. */
  long running() throws IOException {
    List<String> lines = Files.readAllLines(said());
    return lines.stream().filter(line -> line.contains(" runs ")).count()
        - lines.stream().filter(line -> line.contains(" ended ")).count();
  }

  @Override
  public void copy(String pod, boolean toItsEnd, OutputStream to)
      throws IOException, InterruptedException {
    try (InputStream log = Files.newInputStream(log(pod))) {
      boolean more = true;
      while (more) {
        more = toItsEnd && !Files.readString(said()).contains(" ended " + pod + " ");
        log.transferTo(to);
        to.flush();
        Thread.sleep(PAUSE_MILLISECONDS);
      }
    }
  }

  private Path said() {
    return folder.resolve("kubelet.log");
  }

  /** Ends its pods too. */
  @Override
  public void close() {
    process.destroy();
    process.onExit().orTimeout(1, TimeUnit.MINUTES).join();
  }
}
