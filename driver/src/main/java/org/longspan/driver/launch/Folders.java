package org.longspan.driver.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes folders that executors may still be writing to for a moment. */
final class Folders {
  private static final Logger LOG = LoggerFactory.getLogger(Folders.class);
  private static final int TRIES = 20;
  private static final int PAUSE_MILLISECONDS = 100;

  private Folders() {}

  static void delete(Path folder) {
    for (int tried = 0; tried < TRIES && Files.exists(folder); tried++) {
      try {
        deleteOnce(folder);
      } catch (IOException | RuntimeException busy) {
        LOG.debug("{} is not deleted yet", folder, busy);
        if (!pause()) {
          return;
        }
      }
    }
    if (Files.exists(folder)) {
      LOG.warn("{} could not be deleted", folder);
    }
  }

  private static void deleteOnce(Path folder) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> paths = Files.walk(folder)) {
      deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : deepestFirst) {
      Files.deleteIfExists(path);
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(PAUSE_MILLISECONDS);
      return true;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
