package org.longspan.executors.kernel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The file in which measured times of kernels' forms are kept from one process to the next: {@code
 * {"version": …, "devices": {device: {"driver": …, "seconds": {work: {form: seconds}}}}}}. One that
 * cannot be read, or is of another version, counts as empty and is written anew; times measured
 * with another driver are dropped.
 *
 * <p>Threading: any thread, and any number of processes: a file is replaced whole, under a lock
 * that lies beside it.
 */
final class TuningFile {
  /** Raised when kernels change so that older times say nothing. */
  static final int VERSION = 2;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Object ONE_WRITER = new Object();

  private final Path file;

  TuningFile(Path file) {
    this.file = file;
  }

  /**
   * That of the user: {@code longspan/kernels.json} in the folder for caches (XDG Base Directory
   * Specification).
   *
   * @param cache the value of {@code XDG_CACHE_HOME}; null where it is not set
   * @param home the user's folder
   */
  static TuningFile ofUser(String cache, String home) {
    Path folder =
        cache == null || !Path.of(cache).isAbsolute() ? Path.of(home, ".cache") : Path.of(cache);
    return new TuningFile(folder.resolve("longspan").resolve("kernels.json"));
  }

  Path path() {
    return file;
  }

  /** Seconds by form; nothing where there are none of this device and driver. */
  Optional<Map<String, Double>> read(TuningKey key) {
    JsonNode device = content().path("devices").path(key.device());
    JsonNode times = device.path("seconds").path(key.work());
    if (!times.isObject() || !device.path("driver").asText().equals(key.driver())) {
      return Optional.empty();
    }
    Map<String, Double> seconds = new TreeMap<>();
    for (Map.Entry<String, JsonNode> time : times.properties()) {
      if (!time.getValue().isNumber() || !(time.getValue().asDouble() > 0)) {
        return Optional.empty();
      }
      seconds.put(time.getKey(), time.getValue().asDouble());
    }
    return Optional.of(seconds);
  }

  /**
   * Adds times to the file.
   *
   * @throws IOException if the folder or the file cannot be written
   */
  void write(TuningKey key, Map<String, Double> seconds) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    synchronized (ONE_WRITER) {
      try (FileChannel channel =
          FileChannel.open(
              folder.resolve(file.getFileName() + ".lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        FileLock lock = channel.lock();
        try {
          replace(folder, with(key, seconds));
        } finally {
          lock.release();
        }
      }
    }
  }

  private ObjectNode with(TuningKey key, Map<String, Double> seconds) {
    ObjectNode content = content();
    content.put("version", VERSION);
    ObjectNode device = object(object(content, "devices"), key.device());
    if (!device.path("driver").asText().equals(key.driver())) {
      device.removeAll();
      device.put("driver", key.driver());
    }
    ObjectNode times = JSON.createObjectNode();
    seconds.forEach(times::put);
    object(device, "seconds").set(key.work(), times);
    return content;
  }

  private void replace(Path folder, ObjectNode content) throws IOException {
    Path written = Files.createTempFile(folder, "kernels", ".json");
    try {
      Files.write(written, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(content));
      Files.move(
          written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(written);
    }
  }

  private static ObjectNode object(ObjectNode parent, String name) {
    return parent.get(name) instanceof ObjectNode child ? child : parent.putObject(name);
  }

  /** Empty where there is none that can be used. */
  private ObjectNode content() {
    try {
      if (Files.exists(file)
          && JSON.readTree(Files.readAllBytes(file)) instanceof ObjectNode content
          && content.path("version").asInt() == VERSION) {
        return content;
      }
    } catch (IOException damaged) {
      return JSON.createObjectNode();
    }
    return JSON.createObjectNode();
  }
}
