package org.longspan.datapipeline.prepare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;

/**
 * The files of the inputs by their kind, each once, sorted by path.
 *
 * @param texts files that are one document each, if they are text
 * @param archives zip and jar files, whose entries are documents
 * @param tables Parquet files, whose rows are documents
 * @param bytes the size of all
 */
record InputFiles(List<String> texts, List<String> archives, List<String> tables, long bytes) {
  private static final Set<String> MARKS =
      Set.of("_SUCCESS", "_metadata", "_common_metadata", "_temporary", "_delta_log");

  /** Lists files, and folders with all that is in them, but nothing hidden. */
  static InputFiles list(Configuration hadoop, List<String> inputs) {
    Map<String, Long> sizes = new TreeMap<>();
    for (String input : inputs) {
      Location location = Location.of(hadoop, input);
      FileStatus status =
          location
              .status()
              .orElseThrow(
                  () ->
                      new InvalidInputException(
                          "Input %s does not exist.".formatted(location.path())));
      if (status.isDirectory()) {
        addFolder(location, sizes);
      } else {
        sizes.put(location.path().toString(), status.getLen());
      }
    }
    return byKind(sizes);
  }

  /** Whether a path inside a folder or an archive has a hidden part, or is a writer's mark. */
  static boolean hidden(String relative) {
    for (String part : relative.split("/", -1)) {
      if (part.startsWith(".") || MARKS.contains(part)) {
        return true;
      }
    }
    return false;
  }

  private static void addFolder(Location folder, Map<String, Long> sizes) {
    boolean found = false;
    try {
      RemoteIterator<LocatedFileStatus> files = folder.fileSystem().listFiles(folder.path(), true);
      while (files.hasNext()) {
        LocatedFileStatus file = files.next();
        if (!hidden(relative(folder.path(), file.getPath()))) {
          sizes.put(file.getPath().toString(), file.getLen());
          found = true;
        }
      }
    } catch (IOException e) {
      throw folder.unreadable(e);
    }
    if (!found) {
      throw new InvalidInputException(
          "Input folder %s is empty: it holds no file that is not hidden."
              .formatted(folder.path()));
    }
  }

  private static String relative(Path folder, Path file) {
    String parent = folder.toUri().getPath();
    String path = file.toUri().getPath();
    return path.startsWith(parent) ? path.substring(parent.length()) : path;
  }

  private static InputFiles byKind(Map<String, Long> sizes) {
    List<String> texts = new ArrayList<>();
    List<String> archives = new ArrayList<>();
    List<String> tables = new ArrayList<>();
    long bytes = 0;
    for (Map.Entry<String, Long> file : sizes.entrySet()) {
      String name = file.getKey().toLowerCase(Locale.ROOT);
      if (name.endsWith(".zip") || name.endsWith(".jar")) {
        archives.add(file.getKey());
      } else if (name.endsWith(".parquet")) {
        tables.add(file.getKey());
      } else {
        texts.add(file.getKey());
      }
      bytes += file.getValue();
    }
    return new InputFiles(texts, archives, tables, bytes);
  }
}
