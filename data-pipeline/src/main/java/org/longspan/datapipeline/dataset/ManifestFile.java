package org.longspan.datapipeline.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.longspan.datapipeline.InvalidInputException;

/** Reads and writes {@code manifest.json}. */
public final class ManifestFile {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private ManifestFile() {}

  /** Writes the manifest of {@code dataset} aside and renames it: it is there whole or not. */
  public static void write(Location dataset, Manifest manifest) throws IOException {
    Location aside = dataset.child("." + Manifest.FILE + ".tmp");
    try (OutputStream out = aside.fileSystem().create(aside.path(), true)) {
      out.write(MAPPER.writeValueAsBytes(manifest));
    }
    Location target = dataset.child(Manifest.FILE);
    if (!aside.fileSystem().rename(aside.path(), target.path())) {
      throw new IOException("Cannot rename " + aside.path() + " to " + target.path());
    }
  }

  static Manifest read(Location dataset) {
    Location file = dataset.child(Manifest.FILE);
    try (InputStream in = file.fileSystem().open(file.path())) {
      JsonNode tree = MAPPER.readTree(in);
      int version = tree.path("format_version").asInt(-1);
      if (version != Manifest.FORMAT_VERSION) {
        throw new InvalidInputException(
            "Dataset %s has format version %s, but this release reads version %d; prepare it again."
                .formatted(
                    dataset.path(),
                    version < 0 ? "(none)" : Integer.toString(version),
                    Manifest.FORMAT_VERSION));
      }
      return MAPPER.treeToValue(tree, Manifest.class);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "Manifest %s is damaged (%s); prepare the dataset again."
              .formatted(file.path(), e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw file.unreadable(e);
    }
  }
}
