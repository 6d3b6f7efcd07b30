package org.longspan.jobs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.longspan.datapipeline.InvalidInputException;

/** The demo's text: Spark's own sources, Scala and Java, which Maven fetches once and keeps. */
final class DemoText {
  private static final int MESSAGE_LENGTH = 300;

  private DemoText() {}

  /** Puts the sources into {@code folder}, as files. */
  static void fetch(Path home, Path folder) throws IOException, InterruptedException {
    Path archives = Files.createTempDirectory("longspan-demo-text");
    try {
      download(home, archives);
      try (DirectoryStream<Path> jars = Files.newDirectoryStream(archives, "*.jar")) {
        for (Path jar : jars) {
          unpack(jar, folder);
        }
      }
    } finally {
      try (DirectoryStream<Path> jars = Files.newDirectoryStream(archives)) {
        for (Path jar : jars) {
          Files.delete(jar);
        }
      }
      Files.delete(archives);
    }
  }

  /** Takes the Scala and Java files out of an archive. */
  static void unpack(Path archive, Path folder) throws IOException {
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        String name = entry.getName();
        Path file = folder.resolve(name).normalize();
        boolean source = name.endsWith(".scala") || name.endsWith(".java");
        if (source && file.startsWith(folder.normalize())) {
          Files.createDirectories(file.getParent());
          try (InputStream in = zip.getInputStream(entry)) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
          }
        }
      }
    }
  }

  private static void download(Path home, Path folder) throws IOException, InterruptedException {
    Path log = Files.createTempFile("longspan-demo-text", ".log");
    try {
      Process maven = start(home, folder, log);
      if (maven.waitFor() != 0) {
        throw new InvalidInputException(
            "Maven could not fetch the demo's text, the sources of Spark "
                + BuildVersions.of("spark")
                + "; is Maven Central reachable from here? It said: "
                + reason(Files.readString(log, StandardCharsets.UTF_8)));
      }
    } finally {
      Files.delete(log);
    }
  }

  private static Process start(Path home, Path folder, Path log) {
    try {
      return new ProcessBuilder(
              "mvn",
              "-q",
              "-B",
              "-Dstyle.color=never",
              "-f",
              home.resolve("jobs/demo/text.xml").toString(),
              "-Dspark.version=" + BuildVersions.of("spark"),
              "-Dtext.folder=" + folder)
          .redirectErrorStream(true)
          .redirectOutput(log.toFile())
          .start();
    } catch (IOException e) {
      throw new InvalidInputException(
          "Maven is missing, and the demo's text comes through it; install it (on Debian: apt-get install maven).",
          e);
    }
  }

  private static String reason(String log) {
    List<String> errors = log.lines().filter(line -> line.startsWith("[ERROR]")).limit(1).toList();
    String line = errors.isEmpty() ? log.strip() : errors.get(0).substring("[ERROR]".length());
    return line.strip().substring(0, Math.min(line.strip().length(), MESSAGE_LENGTH));
  }
}
