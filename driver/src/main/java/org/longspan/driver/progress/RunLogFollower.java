package org.longspan.driver.progress;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Reads a run's {@code run.jsonl} while another process writes it. Where the file has been replaced
 * since the last look, because the run went on from a checkpoint or a validation was added to a
 * line, it is read anew and only what differs counts as new.
 *
 * <p>Not thread-safe.
 */
public final class RunLogFollower {
  private final FileSystem fileSystem;
  private final Path file;
  private final List<StepRecord> steps = new ArrayList<>();

  /** Where the newest whole line begins in the file, and its bytes with the line end. */
  private long lastLineStart;

  private byte[] lastLine = {};

  private RunLogFollower(FileSystem fileSystem, Path file) {
    this.fileSystem = fileSystem;
    this.file = file;
  }

  /**
   * Follows the log of a run.
   *
   * @param output the run's folder; it need not exist yet
   */
  public static RunLogFollower of(Configuration hadoop, String output) throws IOException {
    Path file = new Path(output, RunObserver.LOG_FILE);
    return new RunLogFollower(RunLog.plain(file.getFileSystem(hadoop)), file);
  }

  /**
   * The steps that are there since the last call, or are there with other values.
   *
   * @throws IOException where the file system does not answer; the next call goes on as if this one
   *     had not been
   */
  public List<StepRecord> news() throws IOException {
    byte[] tail;
    try {
      tail = readFrom(lastLineStart);
    } catch (FileNotFoundException notYet) {
      return List.of();
    }
    int known = lastLine.length;
    if (tail.length < known || !Arrays.equals(tail, 0, known, lastLine, 0, known)) {
      return readAnew();
    }
    List<StepRecord> fresh = new ArrayList<>();
    take(tail, known, lastLineStart, fresh);
    steps.addAll(fresh);
    return fresh;
  }

  /** The newest step's number; 0 before the first. */
  public long step() {
    return steps.isEmpty() ? 0 : steps.get(steps.size() - 1).step();
  }

  private List<StepRecord> readAnew() throws IOException {
    byte[] whole;
    try {
      whole = readFrom(0);
    } catch (FileNotFoundException betweenDeleteAndRename) {
      return List.of();
    }
    List<StepRecord> now = new ArrayList<>();
    lastLineStart = 0;
    lastLine = new byte[] {};
    take(whole, 0, 0, now);
    int same = 0;
    while (same < Math.min(now.size(), steps.size()) && now.get(same).equals(steps.get(same))) {
      same++;
    }
    steps.clear();
    steps.addAll(now);
    return List.copyOf(now.subList(same, now.size()));
  }

  /** Adds the whole lines of {@code bytes} from {@code from} on; what follows is still written. */
  private void take(byte[] bytes, int from, long offset, List<StepRecord> to) {
    int start = from;
    for (int end = from; end < bytes.length; end++) {
      if (bytes[end] == '\n') {
        try {
          LogEntry entry =
              LogEntry.parse(new String(bytes, start, end - start, StandardCharsets.UTF_8));
          if (entry instanceof StepRecord step) {
            to.add(step);
          }
        } catch (JsonProcessingException cutShort) {
          // A run that was killed left it; the one that goes on with the run replaces the file.
          return;
        }
        lastLineStart = offset + start;
        lastLine = Arrays.copyOfRange(bytes, start, end + 1);
        start = end + 1;
      }
    }
  }

  /** Up to where the stream ends: the length that a file system tells lags behind its content. */
  private byte[] readFrom(long offset) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (FSDataInputStream stream = fileSystem.open(file)) {
      if (offset > 0) {
        stream.seek(offset);
      }
      stream.transferTo(bytes);
    } catch (EOFException shorterNow) {
      return new byte[] {};
    }
    return bytes.toByteArray();
  }
}
