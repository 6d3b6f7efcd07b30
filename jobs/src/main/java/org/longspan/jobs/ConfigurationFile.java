package org.longspan.jobs;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.executors.configuration.RunConfiguration;

/** A run's configuration as {@code --config} names it: a local file, or one anywhere by its URL. */
final class ConfigurationFile {
  private ConfigurationFile() {}

  /**
   * @param overrides key to value as written, which go before the file's
   * @throws InvalidInputException as {@link RunConfiguration#load} says
   */
  static RunConfiguration load(String file, Map<String, String> overrides, Configuration hadoop) {
    return file.matches("[a-z][a-z0-9+.-]+:/.*")
        ? RunConfiguration.parse(read(Location.of(hadoop, file), file), file, overrides)
        : RunConfiguration.load(Path.of(file), overrides);
  }

  private static String read(Location location, String file) {
    try (InputStream stream = location.fileSystem().open(location.path())) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (FileNotFoundException missing) {
      throw new InvalidInputException("The configuration " + file + " is missing.", missing);
    } catch (IOException unreadable) {
      throw location.unreadable(unreadable);
    }
  }
}
