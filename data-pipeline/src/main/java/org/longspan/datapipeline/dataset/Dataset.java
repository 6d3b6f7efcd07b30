package org.longspan.datapipeline.dataset;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.longspan.datapipeline.InvalidInputException;

/**
 * Packed sequences of tokens on a Hadoop file system: {@code manifest.json}, {@code
 * train/*.parquet} and {@code validation/*.parquet}. Immutable; safe for several threads.
 */
public final class Dataset {
  private final Configuration hadoop;
  private final Location location;
  private final Manifest manifest;

  private Dataset(Configuration hadoop, Location location, Manifest manifest) {
    this.hadoop = hadoop;
    this.location = location;
    this.manifest = manifest;
  }

  /** Reads the manifest of the dataset at {@code path} and checks that its files are whole. */
  public static Dataset open(Configuration hadoop, String path) {
    Location location = Location.of(hadoop, path);
    FileStatus status =
        location
            .status()
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "Dataset %s does not exist; give the folder that prepare wrote."
                            .formatted(location.path())));
    if (!status.isDirectory()) {
      throw new InvalidInputException(
          "Dataset %s is a file; give the folder that prepare wrote.".formatted(location.path()));
    }
    if (location.child(Manifest.FILE).status().isEmpty()) {
      throw withoutManifest(location);
    }
    Manifest manifest = ManifestFile.read(location);
    for (Split split : Split.values()) {
      manifest
          .split(split)
          .ifPresent(summary -> checkSizes(location.child(split.folder()), summary));
    }
    return new Dataset(hadoop, location, manifest);
  }

  /** What the dataset says of itself. */
  public Manifest manifest() {
    return manifest;
  }

  /** The dataset's path, with its scheme. */
  public String path() {
    return location.path().toString();
  }

  /** Refuses a dataset whose ids another tokenizer made. */
  public void requireTokenizer(String name, int vocabulary) {
    if (!manifest.tokenizer().equals(name) || manifest.vocabulary() != vocabulary) {
      throw new InvalidInputException(
          "Dataset %s was made by tokenizer '%s' with a vocabulary of %d, but '%s' with %d is expected; prepare the text again."
              .formatted(path(), manifest.tokenizer(), manifest.vocabulary(), name, vocabulary));
    }
  }

  /** Whether the dataset has {@code split}. */
  public boolean contains(Split split) {
    return manifest.split(split).isPresent();
  }

  /** The sequences of {@code split}. */
  public DatasetSplit split(Split split) {
    SplitSummary summary =
        manifest
            .split(split)
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "Dataset %s has no %s split; prepare it with a validation share above 0."
                            .formatted(path(), split.folder())));
    return new DatasetSplit(hadoop, location.child(split.folder()), summary, manifest.layout());
  }

  /** Reads all files and refuses the dataset if one is not what the manifest's checksum says. */
  public void verify() {
    if (!manifest.checksumOfFiles().equals(manifest.checksum())) {
      throw new InvalidInputException(
          "Manifest %s does not agree with its own checksum; prepare the dataset again."
              .formatted(location.child(Manifest.FILE).path()));
    }
    for (Split split : Split.values()) {
      manifest
          .split(split)
          .ifPresent(
              summary ->
                  summary.files().forEach(file -> verify(location.child(split.folder()), file)));
    }
  }

  private static void verify(Location folder, DatasetFile file) {
    Location place = folder.child(file.name());
    try {
      String found = Checksum.of(place.fileSystem(), place.path());
      if (!found.equals(file.checksum())) {
        throw new InvalidInputException(
            "Parquet file %s has checksum %s, but the manifest says %s; prepare the dataset again."
                .formatted(place.path(), found, file.checksum()));
      }
    } catch (IOException e) {
      throw place.unreadable(e);
    }
  }

  private static InvalidInputException withoutManifest(Location location) {
    for (Split split : Split.values()) {
      if (location.child(split.folder()).status().isPresent()) {
        return new InvalidInputException(
            "Dataset %s is incomplete: it has no %s because prepare did not finish; delete it and prepare again."
                .formatted(location.path(), Manifest.FILE));
      }
    }
    return new InvalidInputException(
        "Folder %s is not a dataset: it has no %s; give the folder that prepare wrote."
            .formatted(location.path(), Manifest.FILE));
  }

  private static void checkSizes(Location folder, SplitSummary summary) {
    Map<String, Long> sizes = sizes(folder);
    for (DatasetFile file : summary.files()) {
      Long size = sizes.get(file.name());
      if (size == null) {
        throw new InvalidInputException(
            "Parquet file %s is missing; prepare the dataset again."
                .formatted(folder.child(file.name()).path()));
      }
      if (size != file.size()) {
        throw new InvalidInputException(
            "Parquet file %s has %d bytes, but the manifest says %d: it is truncated or was replaced; prepare the dataset again."
                .formatted(folder.child(file.name()).path(), size, file.size()));
      }
    }
  }

  private static Map<String, Long> sizes(Location folder) {
    Map<String, Long> sizes = new HashMap<>();
    try {
      for (FileStatus file : folder.fileSystem().listStatus(folder.path())) {
        sizes.put(file.getPath().getName(), file.getLen());
      }
    } catch (FileNotFoundException e) {
      return Map.of();
    } catch (IOException e) {
      throw folder.unreadable(e);
    }
    return sizes;
  }
}
