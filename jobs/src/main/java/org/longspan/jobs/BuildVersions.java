package org.longspan.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The versions that this build was made with, and the machine that it runs on. */
final class BuildVersions implements IVersionProvider {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  /** One of {@code build.properties}. */
  static String of(String name) {
    Properties versions = new Properties();
    try (InputStream in = BuildVersions.class.getResourceAsStream("build.properties")) {
      versions.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return versions.getProperty(name);
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "Longspan " + of("longspan"), "Spark " + of("spark") + ", ND4J " + of("nd4j") + ", " + java()
    };
  }

  /** Name → version of what a run depends on, for its report. */
  static Map<String, String> all() {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("Longspan", of("longspan"));
    versions.put("Spark", of("spark"));
    versions.put("ND4J", of("nd4j"));
    versions.put("OpenBLAS", of("openblas"));
    versions.put("Aparapi", of("aparapi"));
    versions.put("Java", java().substring("Java ".length()));
    versions.put("driver's machine", machine());
    return versions;
  }

  private static String java() {
    return "Java " + Runtime.version() + " (" + System.getProperty("java.vm.name") + ")";
  }

  private static String machine() {
    int cores = Runtime.getRuntime().availableProcessors();
    String memory =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? String.format(Locale.ROOT, ", %.0f GiB", system.getTotalMemorySize() / 0x1p30)
            : "";
    return String.format(
        Locale.ROOT,
        "%s, %d cores%s, %s %s",
        processor(),
        cores,
        memory,
        System.getProperty("os.name"),
        System.getProperty("os.arch"));
  }

  private static String processor() {
    try (var lines = Files.lines(PROCESSORS)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown processor");
    } catch (IOException notLinux) {
      return "unknown processor";
    }
  }
}
