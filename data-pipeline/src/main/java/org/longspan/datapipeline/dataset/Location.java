package org.longspan.datapipeline.dataset;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A path that a user gave, on the Hadoop file system that it names.
 *
 * @param fileSystem the file system
 * @param path the path, with its scheme
 */
public record Location(FileSystem fileSystem, Path path) {
  private static final Pattern LOCAL_SCHEME = Pattern.compile("^file:/+");

  /** Finds the file system of {@code path}; a path without a scheme lies on the default one. */
  public static Location of(Configuration hadoop, String path) {
    try {
      Path given = new Path(path);
      FileSystem fileSystem = given.getFileSystem(hadoop);
      return new Location(fileSystem, fileSystem.makeQualified(given));
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidInputException(
          "Path '" + path + "' cannot be used: " + e.getMessage() + ".", e);
    }
  }

  /** A path as a person writes it: a local one without its scheme. */
  public static String shown(String path) {
    return LOCAL_SCHEME.matcher(path).replaceFirst("/");
  }

  /** What is there, or nothing. */
  public Optional<FileStatus> status() {
    try {
      return Optional.of(fileSystem.getFileStatus(path));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /** The sentence for a path that exists but refuses to be read. */
  public InvalidInputException unreadable(IOException cause) {
    return new InvalidInputException(
        "Path '" + path + "' cannot be read: " + cause.getMessage() + ".", cause);
  }

  /** The place {@code name} inside of this one. */
  public Location child(String name) {
    return new Location(fileSystem, new Path(path, name));
  }
}
