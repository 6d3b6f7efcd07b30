package org.longspan.jobs.livy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.Waiting;

/**
 * A real Livy server in a process of its own, on a free port and in a temporary folder, that starts
 * drivers with a real Spark distribution. It ends with all that it has started.
 */
final class LivyServer implements AutoCloseable {
  static final String SPARK = "LONGSPAN_SPARK_HOME";
  static final String JARS = "LONGSPAN_LIVY_JARS";

  private static final Pattern ADDRESS = Pattern.compile("Starting server on (http://\\S+)");

  private final Path folder;
  private final Process process;
  private final Thread end = new Thread(this::stop);
  private String url;

  private LivyServer(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
  }

  /** Starts one that lets drivers have files from {@code files}. */
  static LivyServer start(Path files) throws IOException, InterruptedException {
    Path folder = TestFolder.create("livy");
    for (String name : List.of("conf", "home/logs", "work")) {
      Files.createDirectories(folder.resolve(name));
    }
    Files.writeString(
        folder.resolve("conf/livy.conf"),
        """
        livy.server.host = 127.0.0.1
        livy.server.port = 0
        livy.server.csrf-protection.enabled = true
        livy.spark.master = local[2]
        livy.file.local-dir-whitelist = %s/
        """
            .formatted(files.toRealPath()));
    Files.writeString(
        folder.resolve("conf/log4j.properties"),
        """
        log4j.rootCategory=INFO, console
        log4j.appender.console=org.apache.log4j.ConsoleAppender
        log4j.appender.console.layout=org.apache.log4j.PatternLayout
        log4j.appender.console.layout.ConversionPattern=%d %p %c{1}: %m%n
        """);
    Path log = folder.resolve("livy.log");
    ProcessBuilder builder =
        new ProcessBuilder(
            System.getProperty("java.home") + "/bin/java",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dfile.encoding=UTF-8",
            "-cp",
            folder.resolve("conf") + ":" + System.getenv(JARS) + "/*",
            "org.apache.livy.server.LivyServer");
    Map<String, String> environment = builder.environment();
    List.of(
            "SPARK_TESTING",
            "SPARK_SCALA_VERSION",
            "SPARK_CONF_DIR",
            "HADOOP_CONF_DIR",
            "MASTER",
            "OMP_NUM_THREADS")
        .forEach(environment::remove);
    ReferenceRun.leaveKernelsToOpenBlas(environment);
    environment.put("SPARK_HOME", System.getenv(SPARK));
    environment.put("SPARK_LOCAL_IP", "127.0.0.1");
    environment.put("LD_PRELOAD", System.getProperty("java.home") + "/lib/libjsig.so");
    environment.put("LIVY_CONF_DIR", folder.resolve("conf").toString());
    environment.put("LIVY_HOME", folder.resolve("home").toString());
    environment.putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
    builder.directory(folder.resolve("work").toFile());
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    LivyServer server = new LivyServer(folder, process);
    Runtime.getRuntime().addShutdownHook(server.end);
    try {
      server.url = Waiting.forMatch(log, ADDRESS).group(1);
    } catch (AssertionError | IOException | InterruptedException failure) {
      server.close();
      throw failure;
    }
    return server;
  }

  String url() {
    return url;
  }

  /** All that it shows of batches, as it shows it. */
  String batches() throws IOException {
    try (InputStream answer = URI.create(url + "/batches").toURL().openStream()) {
      return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The processes of its batches. */
  List<ProcessHandle> drivers() {
    return process.descendants().toList();
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(end);
    stop();
    try {
      // Kept for who asks why a test has failed.
      Files.copy(
          folder.resolve("livy.log"),
          folder.resolveSibling("livy.log"),
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    TestFolder.delete(folder);
  }

  /** The drivers first: without their parent they could not be found. */
  private void stop() {
    List<ProcessHandle> drivers = drivers();
    process.destroyForcibly();
    drivers.forEach(ProcessHandle::destroyForcibly);
    process.onExit().orTimeout(1, TimeUnit.MINUTES).join();
    drivers.forEach(driver -> driver.onExit().orTimeout(1, TimeUnit.MINUTES).join());
  }
}
