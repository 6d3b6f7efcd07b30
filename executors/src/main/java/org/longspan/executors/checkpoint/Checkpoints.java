package org.longspan.executors.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.model.LanguageModel;

/**
 * The checkpoints of one run, in its folder {@code checkpoints}. One is written aside and renamed
 * when it is whole, so that every folder named {@code step-…} is whole; the last {@value #KEPT} are
 * kept.
 *
 * <p>Threading: one rank writes, with the tensor ranks beside it; any may read what is committed.
 */
public final class Checkpoints {
  static final String FOLDER = "checkpoints";
  private static final int KEPT = 3;
  private static final String PREFIX = "step-";
  private static final String ASIDE = "_writing-";

  private final Configuration hadoop;
  private final Path folder;
  private final FileSystem files;

  private Checkpoints(Configuration hadoop, Path folder, FileSystem files) {
    this.hadoop = hadoop;
    this.folder = folder;
    this.files = files;
  }

  /** The checkpoints of the run at {@code run}. */
  public static Checkpoints of(Configuration hadoop, String run) throws IOException {
    Path folder = new Path(run, FOLDER);
    return new Checkpoints(hadoop, folder, folder.getFileSystem(hadoop));
  }

  /** The committed one with the most steps. */
  public Optional<Checkpoint> latest() throws IOException {
    List<Path> committed = committed();
    return committed.isEmpty()
        ? Optional.empty()
        : Optional.of(Checkpoint.read(hadoop, files, committed.get(committed.size() - 1)));
  }

  /** The one after {@code step} steps. */
  public Checkpoint at(long step) throws IOException {
    return Checkpoint.read(hadoop, files, new Path(folder, name(step)));
  }

  private static String name(long step) {
    return String.format(Locale.ROOT, PREFIX + "%08d", step);
  }

  private List<Path> committed() throws IOException {
    List<Path> found = new ArrayList<>();
    if (files.exists(folder)) {
      for (FileStatus status : files.listStatus(folder)) {
        if (status.getPath().getName().startsWith(PREFIX)) {
          found.add(status.getPath());
        }
      }
    }
    found.sort(Comparator.comparing(Path::getName));
    return found;
  }

  /**
   * Writes {@code model}, trained on {@code data}, after {@code step} steps and {@code samples}
   * sequences; returns the folder. Where it fails, what was written aside is removed and earlier
   * checkpoints stay.
   *
   * <p>Every tensor rank of one slice calls this: the first one writes, the others give it their
   * shares of the model and return when it has those.
   */
  public String write(
      LanguageModel model, RunConfiguration configuration, Manifest data, long step, long samples)
      throws IOException {
    Path aside = new Path(folder, ASIDE + name(step));
    Path target = new Path(folder, name(step));
    try (WholeTensors tensors = new WholeTensors(model)) {
      if (model.tensor().index() > 0) {
        tensors.give();
        return target.toString();
      }
      files.delete(aside, true);
      files.mkdirs(aside);
      Map<String, String> checksums = new LinkedHashMap<>();
      checksums.put(
          Checkpoint.MODEL, write(new Path(aside, Checkpoint.MODEL), tensors.parameters()));
      checksums.put(
          Checkpoint.OPTIMIZER, write(new Path(aside, Checkpoint.OPTIMIZER), tensors.moments()));
      CheckpointManifest manifest =
          new CheckpointManifest(
              CheckpointManifest.FORMAT,
              step,
              samples,
              data.tokenizer(),
              model.shape().vocabulary(),
              data.checksum(),
              configuration.toYaml(),
              checksums);
      try (OutputStream out = files.create(new Path(aside, Checkpoint.MANIFEST))) {
        out.write(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(manifest));
      }
      files.delete(target, true);
      if (!files.rename(aside, target)) {
        throw new IOException("Cannot rename " + aside + " to " + target);
      }
    } catch (IOException e) {
      try {
        files.delete(aside, true);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw new IOException(
          "The checkpoint of step "
              + step
              + " could not be written to "
              + folder
              + ": "
              + e.getMessage(),
          e);
    }
    prune();
    return target.toString();
  }

  private String write(Path path, List<NamedTensor> tensors) throws IOException {
    DigestOutputStream digest = new DigestOutputStream(files.create(path), sha256());
    try (OutputStream out = new BufferedOutputStream(digest, 1 << 20)) {
      SafetensorsWriter.write(out, tensors, Map.of("format", "longspan"));
    }
    return HexFormat.of().formatHex(digest.getMessageDigest().digest());
  }

  private void prune() throws IOException {
    List<Path> committed = committed();
    for (Path old : committed.subList(0, Math.max(0, committed.size() - KEPT))) {
      files.delete(old, true);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
