package org.longspan.jobs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** {@code bin/longspan} in a process of its own, as a user starts it. */
public record CommandProcess(Process process, Path output) implements AutoCloseable {

  /** Starts one, which writes to a file in {@code folder}. */
  public static CommandProcess start(Path folder, String... arguments) throws IOException {
    return start(folder, Map.of(), arguments);
  }

  /** Likewise, with other variables in its environment. */
  public static CommandProcess start(
      Path folder, Map<String, String> variables, String... arguments) throws IOException {
    Path output = Files.createTempFile(folder, arguments[0], ".out");
    ProcessBuilder builder = new ProcessBuilder("../bin/longspan");
    builder.command().addAll(List.of(arguments));
    List.of("SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_CONF_DIR", "MASTER")
        .forEach(builder.environment()::remove);
    ReferenceRun.leaveKernelsToOpenBlas(builder.environment());
    builder.environment().put("LONGSPAN_BUILD", "never");
    builder.environment().put("LONGSPAN_MEMORY", "512m");
    builder.environment().putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(variables);
    return new CommandProcess(
        builder.redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
  }

  /** Its exit code, when it has ended. */
  public int end() throws InterruptedException {
    return Waiting.forEnd(process);
  }

  /** Waits until it has written what matches, and fails where it ends without. */
  public void await(String regex) throws IOException, InterruptedException {
    Pattern pattern = Pattern.compile(regex);
    try {
      Waiting.until(regex, () -> pattern.matcher(text()).find() || !process.isAlive());
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + " in:\n" + text(), late);
    }
    if (!pattern.matcher(text()).find()) {
      throw new AssertionError("Ended without " + regex + ":\n" + text());
    }
  }

  /** What it has written, both streams. */
  public String text() throws IOException {
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  /** Ends it, where it has not ended. */
  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
