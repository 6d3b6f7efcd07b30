package org.longspan.jobs;

import java.net.URI;
import java.nio.file.Path;

/**
 * Where the log of Spark and the other libraries goes: nowhere at first, then to a file of the run,
 * or to the terminal. The logging configuration reads the property at every line.
 */
final class LibraryLog {
  private static final String PROPERTY = "longspan.log";
  private static final String TERMINAL = "terminal";
  private static final String NOWHERE = "off";
  private static final String FILE_NAME = "longspan.log";

  private LibraryLog() {}

  static void toTerminal() {
    System.setProperty(PROPERTY, TERMINAL);
  }

  /** From now on nowhere, unless it was wanted on the terminal. */
  static void intoNothing() {
    if (!TERMINAL.equals(System.getProperty(PROPERTY))) {
      System.setProperty(PROPERTY, NOWHERE);
    }
  }

  /**
   * Into the run's folder, where that is local; unless it goes somewhere already.
   *
   * @param folder on any Hadoop file system
   */
  static void into(String folder) {
    if (System.getProperty(PROPERTY) == null) {
      URI location = new org.apache.hadoop.fs.Path(folder).toUri();
      if (location.getScheme() == null || location.getScheme().equals("file")) {
        Path file = Path.of(location.getPath(), FILE_NAME).toAbsolutePath();
        System.setProperty(PROPERTY, file.toString());
      }
    }
  }
}
