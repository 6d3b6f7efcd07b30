package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The one jar that an installed Spark is given. */
class ApplicationJarIT {
  private static final Path APPLICATION = Path.of(System.getProperty("longspan.application"));

  /** The natives are most of it; what comes on top should be noticed. */
  private static final long MOST_BYTES = 140L << 20;

  @TempDir Path folder;

  @Test
  void shouldHoldNoFileTwice() throws IOException {
    Set<String> seen = new HashSet<>();
    List<String> twice = files(APPLICATION).stream().filter(name -> !seen.add(name)).toList();
    assertThat(twice).isEmpty();
    assertThat(seen)
        .contains(
            "org/longspan/jobs/Longspan.class",
            "org/longspan/driver/launch/EventPlugin.class",
            "org/nd4j/linalg/cpu/nativecpu/bindings/linux-x86_64/libnd4jcpu.so",
            "org/bytedeco/openblas/linux-x86_64/libopenblas.so.0",
            "linux/libaparapi_x86_64.so",
            "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend");
  }

  @Test
  void shouldHoldNoClassOfWhichTwoLibrariesHaveAForm() throws IOException {
    Set<String> packaged = classes(APPLICATION);
    Map<String, List<String>> owners = new HashMap<>();
    for (Path jar : classPath()) {
      for (String name : classes(jar)) {
        owners.computeIfAbsent(name, key -> new ArrayList<>()).add(jar.getFileName().toString());
      }
    }
    Map<String, List<String>> contested = new TreeMap<>(owners);
    contested.keySet().retainAll(packaged);
    contested.values().removeIf(jars -> jars.size() == 1);
    assertThat(contested).isEmpty();
  }

  @Test
  void shouldHoldNothingOfSpark() throws IOException {
    Set<String> packaged = classes(APPLICATION);
    Map<String, String> shared = new TreeMap<>();
    for (Path jar : sparkJars()) {
      for (String name : classes(jar)) {
        if (packaged.contains(name)) {
          shared.put(name, jar.getFileName().toString());
        }
      }
    }
    assertThat(shared).isEmpty();
    assertThat(packaged)
        .noneMatch(name -> name.startsWith("org/apache/"))
        .noneMatch(name -> name.startsWith("scala/"))
        .noneMatch(name -> name.startsWith("com/fasterxml/"))
        .noneMatch(name -> name.startsWith("javax/"));
  }

  @Test
  void shouldStayOfOneSize() throws IOException {
    assertThat(Files.size(APPLICATION)).isLessThan(MOST_BYTES);
  }

  @Test
  void shouldRunOnSparkAlone() throws Exception {
    List<String> jars = new ArrayList<>(List.of(APPLICATION.toString()));
    sparkJars().forEach(jar -> jars.add(jar.toString()));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                String.join(File.pathSeparator, jars),
                "org.longspan.jobs.Longspan",
                "--version")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(output).content(StandardCharsets.UTF_8).startsWith("Longspan ");
    assertThat(process.exitValue()).isZero();
  }

  /** Those of an installed Spark where there is one, otherwise those that we compile against. */
  private static List<Path> sparkJars() throws IOException {
    String home = System.getenv("LONGSPAN_SPARK_HOME");
    if (home != null) {
      try (var jars = Files.list(Path.of(home, "jars"))) {
        return jars.filter(jar -> jar.toString().endsWith(".jar")).toList();
      }
    }
    Set<String> packaged = classes(APPLICATION);
    List<Path> others = new ArrayList<>();
    for (Path jar : classPath()) {
      if (classes(jar).stream().noneMatch(packaged::contains) && !relocated(jar)) {
        others.add(jar);
      }
    }
    return others;
  }

  private static boolean relocated(Path jar) {
    return jar.toString().matches(".*/(picocli|bcel|commons-net|byteunits)-[^/]*");
  }

  private static List<Path> classPath() {
    return List.of(System.getProperty("java.class.path").split(File.pathSeparator)).stream()
        .filter(entry -> entry.endsWith(".jar"))
        .map(Path::of)
        .toList();
  }

  private static Set<String> classes(Path jar) throws IOException {
    Set<String> classes = new HashSet<>(files(jar));
    classes.removeIf(name -> !name.endsWith(".class") || name.endsWith("module-info.class"));
    return classes;
  }

  /** The archive's index, in which a name is as often as it is in the archive. */
  private static List<String> files(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName).toList();
    }
  }
}
