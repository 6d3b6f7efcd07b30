package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** The application jar on an unmodified Spark: a standalone master and two workers. */
@EnabledIfEnvironmentVariable(
    named = "LONGSPAN_SPARK_HOME",
    matches = ".+",
    disabledReason = "LONGSPAN_SPARK_HOME names no Spark distribution")
class SparkSubmitIT {
  private static final Pattern MASTER = Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final String REGISTERED = "Successfully registered with master";

  @TempDir Path folder;
  private final String spark = System.getenv("LONGSPAN_SPARK_HOME");
  private final List<Process> daemons = new ArrayList<>();
  private String master;

  @BeforeEach
  void startCluster() throws Exception {
    Path log = folder.resolve("master.log");
    daemon(log, "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0");
    master = Waiting.forMatch(log, MASTER).group(1);
    for (int worker = 0; worker < 2; worker++) {
      Path workerLog = folder.resolve("worker-" + worker + ".log");
      daemon(
          workerLog,
          "org.apache.spark.deploy.worker.Worker",
          "--host",
          "127.0.0.1",
          "--cores",
          "1",
          "--memory",
          "2g",
          "--work-dir",
          folder.resolve("work-" + worker).toString(),
          master);
      Waiting.forMatch(workerLog, Pattern.compile(REGISTERED));
    }
  }

  @AfterEach
  void stopCluster() {
    for (Process daemon : daemons) {
      daemon.descendants().forEach(ProcessHandle::destroyForcibly);
      daemon.destroyForcibly().onExit().join();
    }
  }

  @Test
  void shouldTrainByTheCommandThatADryRunPrints() throws Exception {
    String data = SmallDataset.prepare(folder);
    Path configuration = Files.writeString(folder.resolve("run.yaml"), ReferenceRun.CONFIGURATION);
    Path run = folder.resolve("run");
    List<String> train =
        List.of(
            "train",
            "--config",
            configuration.toString(),
            "--data",
            data,
            "--output",
            run.toString(),
            "--master",
            master);

    List<String> dryRun = new ArrayList<>(List.of("../bin/longspan"));
    dryRun.addAll(train);
    dryRun.add("--dry-run");
    Ended printed = run("printed", dryRun);
    assertThat(printed.exitCode()).as(printed.output()).isZero();
    assertThat(printed.output())
        .startsWith(spark + "/bin/spark-submit")
        .contains("--conf spark.executor.memoryOverhead=")
        .contains("--conf spark.scheduler.minRegisteredResourcesRatio=1.0")
        .contains("-Dorg.bytedeco.javacpp.maxphysicalbytes=")
        .doesNotContain("--dry-run");

    Ended trained = run("trained", List.of("bash", "-c", printed.output()));
    assertThat(trained.exitCode()).as(trained.output()).isZero();
    assertThat(trained.output())
        .contains("Mesh    1 data × 2 sequence", "step 4/4")
        // Executors, started by workers that know nothing of it, have Java's signals kept.
        .doesNotContain(" INFO ", "libjsig");
    assertThat(ReferenceRun.losses(run)).isEqualTo(ReferenceRun.train(folder, data));
    assertThat(run.resolve("report.html")).exists();
    Waiting.until(
        "the executors have ended",
        () -> daemons.stream().flatMap(Process::children).noneMatch(SparkSubmitIT::works));

    Ended tooMany =
        run(
            "too-many",
            List.of(
                "bash",
                "-c",
                printed.output().strip().replace("--output " + run, "--output " + run + "-of-3")
                    + " --set mesh.sequence=3"));
    assertThat(tooMany.exitCode()).isEqualTo(2);
    assertThat(tooMany.output())
        .contains("longspan train: The mesh needs 3 ranks")
        .contains("the cluster has 2 slots");
    GuideQuotes.assertQuoted(sentence(tooMany));

    Ended tooSmall =
        run(
            "too-small",
            List.of(
                "bash",
                "-c",
                printed
                    .output()
                    .replace("--output " + run, "--output " + run + "-in-too-little")
                    .replaceAll("maxbytes=\\d+m", "maxbytes=1m")));
    assertThat(tooSmall.exitCode()).as(tooSmall.output()).isEqualTo(2);
    GuideQuotes.assertQuoted(sentence(tooSmall));
  }

  /** Spark's scripts leave a shell behind that has ended, and that nobody reaps. */
  private static boolean works(ProcessHandle child) {
    return child.info().command().isPresent();
  }

  private void daemon(Path log, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(spark + "/bin/spark-class"));
    command.addAll(List.of(arguments));
    command.addAll(command.size() - arguments.length + 1, List.of("--webui-port", "0"));
    daemons.add(builder(log, command).start());
  }

  private record Ended(int exitCode, String output) {}

  /** The one sentence of ours that says why it ended. */
  private static String sentence(Ended ended) {
    List<String> ours =
        ended.output().lines().filter(line -> line.startsWith("longspan train")).toList();
    assertThat(ours).as(ended.output()).hasSize(1);
    return ours.get(0);
  }

  private Ended run(String name, List<String> command) throws Exception {
    Path output = folder.resolve(name + ".out");
    Process process = builder(output, command).start();
    int exitCode = Waiting.forEnd(process);
    return new Ended(exitCode, Files.readString(output, StandardCharsets.UTF_8));
  }

  private ProcessBuilder builder(Path output, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    List.of("SPARK_TESTING", "SPARK_SCALA_VERSION", "SPARK_CONF_DIR", "LD_PRELOAD")
        .forEach(environment::remove);
    ReferenceRun.leaveKernelsToOpenBlas(environment);
    environment.put("SPARK_HOME", spark);
    environment.put("SPARK_LOCAL_IP", "127.0.0.1");
    environment.put("LONGSPAN_BUILD", "never");
    environment.putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
    return builder.redirectErrorStream(true).redirectOutput(output.toFile());
  }
}
