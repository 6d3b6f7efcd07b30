package org.longspan.driver.progress;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.executors.train.RankEvent;

/**
 * Hears what the ranks of a run tell the driver, and turns it into lines on the terminal, {@code
 * run.jsonl} and {@code report.html} in the run's folder. A file that cannot be written is said
 * once and does not end the run.
 *
 * <p>Thread-safe: events come from whatever thread received them.
 */
public final class RunObserver implements Consumer<RankEvent>, AutoCloseable {
  /** Names of the files in the run's folder. */
  public static final String LOG_FILE = "run.jsonl";

  public static final String REPORT_FILE = "report.html";

  private final Configuration hadoop;
  private final RunDescription description;
  private final ProgressLine line;
  private final RunLog log;
  private final List<RankEvent.Ready> ranks = new ArrayList<>();
  private final long started = System.nanoTime();
  private RankEvent.Validation lastValidation;
  private String lastCheckpoint;
  private boolean failed;
  private boolean closed;

  private RunObserver(
      Configuration hadoop, RunDescription description, ProgressLine line, RunLog log) {
    this.hadoop = hadoop;
    this.description = description;
    this.line = line;
    this.log = log;
  }

  /** Watches a run that starts anew. */
  public static RunObserver create(
      Configuration hadoop, RunDescription description, ProgressLine line) throws IOException {
    RunLog log = RunLog.create(hadoop, new Path(description.output(), LOG_FILE));
    return new RunObserver(hadoop, description, line, log).begin();
  }

  /** Watches a run that goes on from a checkpoint, and goes on with its log. */
  public static RunObserver resume(
      Configuration hadoop, RunDescription description, ProgressLine line) throws IOException {
    RunLog log = RunLog.open(hadoop, new Path(description.output(), LOG_FILE));
    return new RunObserver(hadoop, description, line, log).begin();
  }

  @Override
  public synchronized void accept(RankEvent event) {
    if (closed) {
      return;
    }
    try {
      if (event instanceof RankEvent.Ready ready) {
        ready(ready);
      } else if (event instanceof RankEvent.Failed failure) {
        line.note(
            "Attempt "
                + (failure.attempt() + 1)
                + " failed: rank "
                + failure.rank()
                + " on "
                + failure.host()
                + ": "
                + failure.sentence());
        log.add(failure);
      } else if (event instanceof RankEvent.Resumed resumed) {
        log.cutAfter(resumed.step());
        line.note(
            "Goes on after step "
                + resumed.step()
                + " from "
                + Location.shown(resumed.checkpoint()));
      } else if (event instanceof RankEvent.Step step) {
        line.step(step);
        log.add(step);
      } else if (event instanceof RankEvent.Validation validation) {
        validated(validation);
      } else if (event instanceof RankEvent.Checkpoint checkpoint) {
        lastCheckpoint = checkpoint.path();
        log.flush();
        writeReport();
      }
    } catch (IOException e) {
      complain(e);
    }
  }

  /** The newest validation's loss in nats. */
  public synchronized OptionalDouble validationLoss() {
    return lastValidation == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(lastValidation.loss());
  }

  /** The newest committed checkpoint; null before the first. */
  public synchronized String checkpoint() {
    return lastCheckpoint;
  }

  /** Steps that are done, those before a resume included. */
  public synchronized long steps() {
    return log.lastStep();
  }

  /** Writes what is left to write. Nothing is heard after it. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    line.end();
    try {
      log.close();
      writeReport();
    } catch (IOException e) {
      complain(e);
    }
  }

  private RunObserver begin() {
    line.note("Run     " + Location.shown(description.output()));
    line.note("Data    " + description.data());
    line.note("Mesh    " + description.meshWords());
    return this;
  }

  private void ready(RankEvent.Ready ready) {
    ranks.removeIf(rank -> rank.rank() == ready.rank());
    ranks.add(ready);
    ranks.sort(Comparator.comparingInt(RankEvent.Ready::rank));
    line.note(
        String.format(
            Locale.ROOT,
            "Rank %-2d %s on %s, process %d, %s%s",
            ready.rank(),
            ready.kernel(),
            ready.host(),
            ready.process(),
            ready.threads() == 1 ? "1 thread" : ready.threads() + " threads",
            ready.attempt() == 0 ? "" : ", attempt " + (ready.attempt() + 1)));
  }

  private void validated(RankEvent.Validation validation) throws IOException {
    lastValidation = validation;
    line.note(
        String.format(
            Locale.ROOT,
            "Validation after step %d: loss %.4f over %,d tokens",
            validation.step(),
            validation.loss(),
            validation.tokens()));
    log.add(validation);
  }

  private void writeReport() throws IOException {
    double seconds = (System.nanoTime() - started) / 1e9;
    new Report(
            description, List.copyOf(ranks), log.steps(), log.failures(), seconds, lastCheckpoint)
        .write(hadoop, new Path(description.output(), REPORT_FILE));
  }

  private void complain(IOException e) {
    if (!failed) {
      line.note(
          "The run's log or report in "
              + description.output()
              + " cannot be written, the run goes on without: "
              + e.getMessage());
    }
    failed = true;
  }
}
