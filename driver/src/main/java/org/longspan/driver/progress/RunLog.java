package org.longspan.driver.progress;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.executors.train.RankEvent;

/**
 * A run's {@code run.jsonl}: one object a step, each step once, whatever attempts it took, and
 * between them one for each rank that said why an attempt failed. A step's object is held back
 * until it is known whether a validation belongs to it; every line is flushed. On a file system
 * that cannot append, the file is complete when the log is closed.
 *
 * <p>Not thread-safe.
 */
public final class RunLog implements Closeable {
  private final FileSystem fileSystem;
  private final Path file;
  private final List<LogEntry> entries = new ArrayList<>();

  /** Those at the front of {@link #entries} that are in the file; at most the last one is not. */
  private int written;

  /** What the ranks of the last attempt that failed since the log was opened said, one each. */
  private final List<FailedAttempt> lastFailures = new ArrayList<>();

  private FSDataOutputStream stream;

  private RunLog(FileSystem fileSystem, Path file) {
    this.fileSystem = fileSystem;
    this.file = file;
  }

  /** Starts the file anew. */
  public static RunLog create(Configuration hadoop, Path file) throws IOException {
    RunLog log = new RunLog(plain(file.getFileSystem(hadoop)), file);
    log.stream = log.fileSystem.create(file, true);
    return log;
  }

  /** Goes on with the file that an earlier run left, or starts one. */
  public static RunLog open(Configuration hadoop, Path file) throws IOException {
    RunLog log = new RunLog(plain(file.getFileSystem(hadoop)), file);
    if (log.fileSystem.exists(file)) {
      log.read();
    }
    log.rewrite();
    return log;
  }

  /** The steps that were logged so far, the one that is held back included. */
  public List<StepRecord> steps() {
    return only(StepRecord.class);
  }

  /** What the ranks of the attempts that failed so far said, one entry for each rank. */
  public List<FailedAttempt> failures() {
    return only(FailedAttempt.class);
  }

  private <E extends LogEntry> List<E> only(Class<E> kind) {
    return entries.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /** The last step that was logged; 0 without one. */
  public long lastStep() {
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (entries.get(i) instanceof StepRecord step) {
        return step.step();
      }
    }
    return 0;
  }

  /** A step that is there already is replaced, and those after it are cut off. */
  public void add(RankEvent.Step step) throws IOException {
    cutAfter(step.step() - 1);
    flush();
    entries.add(StepRecord.of(step));
  }

  /** Logs why an attempt failed, instead of what was said of the same rank in it before. */
  public void add(RankEvent.Failed failure) throws IOException {
    lastFailures.removeIf(other -> other.attempt() != failure.attempt() + 1);
    long afterStep = lastFailures.isEmpty() ? lastStep() : lastFailures.get(0).afterStep();
    FailedAttempt said = FailedAttempt.of(failure, afterStep);
    for (FailedAttempt before : lastFailures) {
      if (before.rank() == said.rank()) {
        lastFailures.set(lastFailures.indexOf(before), said);
        entries.set(entries.lastIndexOf(before), said);
        rewrite();
        return;
      }
    }
    lastFailures.add(said);
    entries.add(said);
    flush();
  }

  /** Puts the validation's loss into its step's object; without that step, does nothing. */
  public void add(RankEvent.Validation validation) throws IOException {
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (entries.get(i) instanceof StepRecord step && step.step() <= validation.step()) {
        if (step.step() == validation.step()) {
          entries.set(i, step.validated(validation.loss()));
          if (i < written) {
            rewrite();
          } else {
            flush();
          }
        }
        return;
      }
    }
  }

  /** Cuts off the steps after {@code step}. */
  public void cutAfter(long step) throws IOException {
    if (entries.removeIf(entry -> entry instanceof StepRecord record && record.step() > step)
        && entries.size() < written) {
      rewrite();
    }
  }

  /** Writes the step that is held back. */
  public void flush() throws IOException {
    while (written < entries.size()) {
      write(stream, entries.get(written));
      written++;
    }
    stream.hflush();
  }

  @Override
  public void close() throws IOException {
    try {
      flush();
    } finally {
      stream.close();
    }
  }

  private void read() throws IOException {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(fileSystem.open(file), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (!line.isBlank()) {
          entries.add(LogEntry.parse(line));
        }
      }
    } catch (JsonProcessingException cutShort) {
      // The last line of a run that was killed while it wrote: its step is done again.
      return;
    }
  }

  /** Puts the file in step with the records: a whole copy first, so that a full disk costs none. */
  private void rewrite() throws IOException {
    if (stream != null) {
      stream.close();
    }
    if (fileSystem.hasPathCapability(file, CommonPathCapabilities.FS_APPEND)) {
      Path aside = file.suffix(".next");
      try (FSDataOutputStream copy = fileSystem.create(aside, true)) {
        writeAll(copy);
      }
      fileSystem.delete(file, false);
      if (!fileSystem.rename(aside, file)) {
        throw new IOException("Could not rename " + aside + " to " + file);
      }
      stream = fileSystem.append(file);
    } else {
      stream = fileSystem.create(file, true);
      writeAll(stream);
    }
    written = entries.size();
  }

  private void writeAll(FSDataOutputStream to) throws IOException {
    for (LogEntry entry : entries) {
      write(to, entry);
    }
    to.hflush();
  }

  private static void write(FSDataOutputStream to, LogEntry entry) throws IOException {
    to.write((entry.json() + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** The local file system without its checksum files, which would stand beside the log. */
  static FileSystem plain(FileSystem fileSystem) {
    return fileSystem instanceof LocalFileSystem local ? local.getRaw() : fileSystem;
  }
}
