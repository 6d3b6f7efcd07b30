package org.longspan.executors.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.model.ModelShape;

/**
 * A committed checkpoint: a folder with {@code model.safetensors}, {@code optimizer.safetensors}
 * and {@code manifest.json}.
 *
 * <p>Threading: immutable.
 */
public final class Checkpoint {
  static final String MODEL = "model.safetensors";
  static final String OPTIMIZER = "optimizer.safetensors";
  static final String MANIFEST = "manifest.json";
  static final String FIRST_MOMENT = ".first-moment";
  static final String SECOND_MOMENT = ".second-moment";

  private final Configuration hadoop;
  private final Path folder;
  private final CheckpointManifest manifest;

  private Checkpoint(Configuration hadoop, Path folder, CheckpointManifest manifest) {
    this.hadoop = hadoop;
    this.folder = folder;
    this.manifest = manifest;
  }

  /**
   * Opens the checkpoint at {@code path}: its own folder, or a run's folder, of which it takes the
   * latest.
   *
   * @throws InvalidInputException where there is none, or it is not whole
   */
  public static Checkpoint open(Configuration hadoop, String path) {
    try {
      Path given = new Path(path);
      FileSystem files = given.getFileSystem(hadoop);
      if (files.exists(new Path(given, MANIFEST))) {
        return read(hadoop, files, given);
      }
      return Checkpoints.of(hadoop, path)
          .latest()
          .orElseThrow(
              () ->
                  new InvalidInputException(
                      "There is no checkpoint in "
                          + path
                          + ": give a run's folder, or one of the folders in its "
                          + Checkpoints.FOLDER
                          + "."));
    } catch (IOException e) {
      throw new InvalidInputException(
          "The checkpoint " + path + " cannot be read: " + e.getMessage() + ".", e);
    }
  }

  static Checkpoint read(Configuration hadoop, FileSystem files, Path folder) throws IOException {
    CheckpointManifest manifest;
    try (InputStream in = files.open(new Path(folder, MANIFEST))) {
      manifest = new ObjectMapper().readValue(in.readAllBytes(), CheckpointManifest.class);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          "The manifest of checkpoint " + folder + " is not what Longspan wrote.", e);
    }
    if (manifest.format() != CheckpointManifest.FORMAT) {
      throw new InvalidInputException(
          "Checkpoint "
              + folder
              + " has format "
              + manifest.format()
              + "; this version reads format "
              + CheckpointManifest.FORMAT
              + ".");
    }
    return new Checkpoint(hadoop, folder, manifest);
  }

  public CheckpointManifest manifest() {
    return manifest;
  }

  /** Its folder. */
  public String path() {
    return folder.toString();
  }

  /** The configuration of the run that wrote it. */
  public RunConfiguration configuration() {
    return RunConfiguration.parse(manifest.configuration(), path() + "/" + MANIFEST, Map.of());
  }

  /** The model in it. */
  public ModelShape shape() {
    return ModelShape.of(configuration(), manifest.vocabulary());
  }

  /** Refuses another model than {@code wanted}, saying where they differ. */
  public void requireShape(ModelShape wanted) {
    List<String> differences = shape().differences(wanted);
    if (!differences.isEmpty()) {
      throw new InvalidInputException(
          "Checkpoint "
              + folder
              + " holds another model: "
              + String.join(", ", differences)
              + "; resume with the model that it holds, or start a new run.");
    }
  }

  /**
   * Refuses other data than that of the run that wrote it: its position would mean other sequences
   * there.
   */
  public void requireData(Manifest data) {
    if (!manifest.data().equals(data.checksum())) {
      throw new InvalidInputException(
          "Checkpoint "
              + folder
              + " was trained on a dataset with checksum "
              + manifest.data()
              + ", and this one has "
              + data.checksum()
              + "; resume with the same data, or start a new run.");
    }
  }

  /** Reads the rank's share of the parameters into {@code model}, of the same shape as a whole. */
  public void readParameters(LanguageModel model) throws IOException {
    requireShape(model.shape());
    try (SafetensorsFile file = SafetensorsFile.open(hadoop, verified(MODEL))) {
      Map<String, ParameterShape> shapes = model.shapes();
      for (Map.Entry<String, Matrix> parameter : model.parameters().entrySet()) {
        String name = parameter.getKey();
        file.read(name, shapes.get(name), parameter.getValue());
      }
    }
  }

  /** Every parameter by its name, in new matrices of {@code arena}. */
  public Map<String, Matrix> readParameters(Arena arena) throws IOException {
    Map<String, Matrix> parameters = new LinkedHashMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(hadoop, verified(MODEL))) {
      for (String name : file.names()) {
        List<Long> sides = file.shape(name);
        Matrix values = arena.matrix(sides.get(0), Math.toIntExact(sides.get(1)));
        file.read(name, values);
        parameters.put(name, values);
      }
    }
    return parameters;
  }

  /**
   * A rank's share of every parameter by its name, in new matrices of {@code arena}.
   *
   * @param place which share
   */
  public Map<String, Matrix> readParameters(TensorPlace place, Arena arena) throws IOException {
    Map<String, Matrix> parameters = new LinkedHashMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(hadoop, verified(MODEL))) {
      for (Map.Entry<String, ParameterShape> entry : shape().parameters(place).entrySet()) {
        Matrix values = arena.matrix(entry.getValue().rows(), entry.getValue().columns());
        file.read(entry.getKey(), entry.getValue(), values);
        parameters.put(entry.getKey(), values);
      }
    }
    return parameters;
  }

  /** Reads the rank's share of the optimizer's moments into {@code model}. */
  public void readOptimizer(LanguageModel model) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(hadoop, verified(OPTIMIZER))) {
      Map<String, ParameterShape> shapes = model.shapes();
      for (Map.Entry<String, Map<String, Matrix>> moments : OptimizerMoments.of(model).entrySet()) {
        for (Map.Entry<String, Matrix> moment : moments.getValue().entrySet()) {
          String name = moment.getKey();
          file.read(name + moments.getKey(), shapes.get(name), moment.getValue());
        }
      }
    }
  }

  /** The file's path, after its checksum was found right. */
  private Path verified(String name) throws IOException {
    Path file = new Path(folder, name);
    FileSystem files = file.getFileSystem(hadoop);
    if (!files.exists(file)) {
      throw new InvalidInputException("Checkpoint " + folder + " lacks its file " + name + ".");
    }
    String found = checksum(files, file);
    if (!found.equals(manifest.checksums().get(name))) {
      throw new InvalidInputException(
          "File "
              + file
              + " is not as it was written: its SHA-256 is "
              + found
              + "; use an earlier checkpoint.");
    }
    return file;
  }

  private static String checksum(FileSystem files, Path file) throws IOException {
    try (DigestInputStream in = new DigestInputStream(files.open(file), Checkpoints.sha256())) {
      byte[] buffer = new byte[1 << 20];
      while (in.read(buffer) >= 0) {
        // Reading is all that the digest needs.
      }
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    } catch (ChecksumException damaged) {
      // Hadoop keeps sums of its own beside local files and finds the damage first.
      return "not to be had, " + damaged.getMessage();
    }
  }
}
