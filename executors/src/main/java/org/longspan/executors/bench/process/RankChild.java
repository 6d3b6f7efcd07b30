package org.longspan.executors.bench.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A rank's process, as its parent sees it. */
final class RankChild {
  /** Memory is given anew; a debugger's port would be taken. */
  private static final List<String> NOT_INHERITED =
      List.of(
          "-Xmx",
          "-Xms",
          "-XX:MaxDirectMemorySize",
          "-Dorg.bytedeco.javacpp.max",
          "-agentlib:jdwp",
          "-Xrunjdwp");

  private final int rank;
  private final int ranks;
  private final Process process;
  private final BufferedReader lines;
  private final PrintWriter orders;

  private RankChild(int rank, int ranks, Process process) {
    this.rank = rank;
    this.ranks = ranks;
    this.process = process;
    this.lines = process.inputReader(StandardCharsets.UTF_8);
    this.orders = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
  }

  /** Starts a JVM like this one, with the same class path and options but for the memory. */
  static RankChild start(
      int rank, Class<? extends RankBody> body, List<String> arguments, ProcessSettings settings) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> NOT_INHERITED.stream().noneMatch(option::startsWith))
        .forEach(command::add);
    command.add("-Xmx" + settings.heapMebibytes() + "m");
    command.add("-XX:MaxDirectMemorySize=" + settings.directMebibytes() + "m");
    command.add("-Dorg.bytedeco.javacpp.maxbytes=" + settings.directMebibytes() + "m");
    command.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(RankProcess.class.getName());
    command.add(Integer.toString(rank));
    command.add(Integer.toString(settings.ranks()));
    command.add(settings.protection().name());
    command.add(settings.timeLimit().toString());
    command.add(body.getName());
    command.addAll(arguments);
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      return new RankChild(rank, settings.ranks(), process);
    } catch (IOException e) {
      throw new RankProcessException(
          "The process of rank " + rank + " of " + settings.ranks() + " does not start: " + e, e);
    }
  }

  /** By a pipe, as other users of the machine can read a command line. */
  void tellSecret(String secret) {
    orders.println(secret);
  }

  /** In the order of the ranks. */
  void tellPorts(List<Integer> ports) {
    orders.println(ports.stream().map(String::valueOf).collect(Collectors.joining(" ")));
  }

  /** Waits for the port on which the rank listens. */
  int port() {
    ParentLine line = next();
    if (line == null || line.kind() != ParentLine.Kind.PORT) {
      throw failure(line);
    }
    return Integer.parseInt(line.text());
  }

  /** Waits for the rank's end and gives what it said. */
  List<String> results() {
    List<String> results = new ArrayList<>();
    ParentLine line = next();
    while (line != null && line.kind() == ParentLine.Kind.RESULT) {
      results.add(line.text());
      line = next();
    }
    if (line == null || line.kind() != ParentLine.Kind.DONE || exitCode() != 0) {
      throw failure(line);
    }
    return results;
  }

  private ParentLine next() {
    try {
      String line;
      while ((line = lines.readLine()) != null) {
        ParentLine read = ParentLine.read(line);
        if (read != null) {
          return read;
        }
      }
      return null;
    } catch (IOException e) {
      throw new RankProcessException("Lost the process of rank " + rank + ": " + e, e);
    }
  }

  private RankProcessException failure(ParentLine line) {
    String said =
        line != null && line.kind() == ParentLine.Kind.FAILURE
            ? " failed: " + line.text()
            : "'s process ended too early, with exit code " + exitCode();
    return new RankProcessException("Rank " + rank + " of " + ranks + said);
  }

  /** That the rank has said nothing for so long after its start. */
  RankProcessException silence(Duration limit) {
    return new RankProcessException(
        String.format(
            Locale.ROOT,
            "Rank %d of %d's process did not say within %.1f s where it listens",
            rank,
            ranks,
            limit.toMillis() / 1000.0));
  }

  private int exitCode() {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RankProcessException("Interrupted while rank " + rank + " was working", e);
    }
  }

  /** Ends the process where it has not ended. */
  void end() {
    process.destroyForcibly();
  }

  /** Waits until the process, which {@link #end} was called for, is no more. */
  void awaitEnd() {
    process.onExit().join();
  }
}
