package org.longspan.executors.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;

/**
 * What a checkpoint says of itself, in {@code manifest.json}.
 *
 * @param format version of the layout
 * @param step optimizer steps done
 * @param samples sequences taken from the training split so far: the position in the data; with the
 *     seed, which fixes their order and the first parameters, it is all the random state that
 *     training has
 * @param tokenizer name of the tokenizer
 * @param vocabulary tokens that it knows
 * @param data checksum of the dataset, in which {@code samples} counts
 * @param configuration the run's configuration as YAML
 * @param checksums SHA-256 of each file
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record CheckpointManifest(
    @JsonProperty("format") int format,
    @JsonProperty("step") long step,
    @JsonProperty("samples") long samples,
    @JsonProperty("tokenizer") String tokenizer,
    @JsonProperty("vocabulary") int vocabulary,
    @JsonProperty("data") String data,
    @JsonProperty("configuration") String configuration,
    @JsonProperty("checksums") Map<String, String> checksums) {

  static final int FORMAT = 1;

  public CheckpointManifest {
    checksums = checksums == null ? Map.of() : Map.copyOf(checksums);
  }
}
