package org.longspan.jobs.livy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.progress.ProgressLine;
import org.longspan.driver.progress.RunLogFollower;
import org.longspan.driver.progress.StepRecord;
import org.longspan.driver.recovery.RunFailedException;

/**
 * One run as a batch of Livy's: submitted, followed to its end, or cancelled. What it is at comes
 * from Livy and from the run's own log; where Livy is away or has forgotten the batch, from the log
 * alone.
 *
 * <p>{@link #run} is for one thread; {@link #cancel} may be called from another meanwhile.
 */
public final class LivyRun {
  /** Looks in vain for a batch whose submission got no answer, before it is given up. */
  private static final int LOOKS_FOR_LOST_ANSWER = 10;

  /** Looks at the log of a driver that has failed. */
  private static final int LOOKS_FOR_LAST_WORD = 3;

  private final LivyClient livy;
  private final BatchRequest request;
  private final RunLogFollower log;
  private final String logFile;
  private final long steps;
  private final ProgressLine line;
  private final Patience patience;
  private final LineTail output = new LineTail();
  private volatile Batch batch;
  private volatile boolean forgotten;
  private volatile boolean cancelled;
  private boolean away;
  private boolean logAway;
  private long lastAnswer;
  private long lastSign;

  /**
   * A run that is not submitted yet.
   *
   * @param log the run's, which has been read up to where the run begins
   * @param logFile where it lies, for people
   * @param steps of the whole run
   */
  public LivyRun(
      LivyClient livy,
      BatchRequest request,
      RunLogFollower log,
      String logFile,
      long steps,
      ProgressLine line,
      Patience patience) {
    this.livy = livy;
    this.request = request;
    this.log = log;
    this.logFile = logFile;
    this.steps = steps;
    this.line = line;
    this.patience = patience;
  }

  /**
   * Submits the run and returns when it has succeeded.
   *
   * @throws RunFailedException where it has not
   * @throws InvalidInputException where it said that what it was asked for cannot be done
   */
  public void run() {
    try {
      submit();
      follow();
    } catch (LivyRefusalException refused) {
      throw new RunFailedException(refused.getMessage(), refused);
    } finally {
      line.end();
    }
  }

  /**
   * Ends the batch at Livy, wherever it is; the sentence says what became of it. Takes half a
   * minute at most.
   */
  public String cancel() {
    cancelled = true;
    try {
      Optional<Batch> own = batch == null ? livy.batch(request.name()) : ownBatch();
      if (own.isPresent()) {
        livy.delete(own.get().id());
        return "Cancelled " + words(own.get()) + " at Livy";
      }
      return batch == null
          ? "Cancelled before Livy had a batch"
          : "Livy no longer knows " + words(batch) + ", so it may run on" + elsewhere();
    } catch (IOException | LivyRefusalException failure) {
      return "Livy at "
          + livy
          + " could not be told to cancel "
          + (batch == null ? request.name() : words(batch))
          + " ("
          + failure.getMessage()
          + "), so it may run on"
          + elsewhere();
    }
  }

  private void submit() {
    try {
      batch = livy.submit(request);
    } catch (LivyAwayException noAnswer) {
      if (!noAnswer.reached()) {
        throw new RunFailedException(
            "Livy at "
                + livy
                + " cannot be reached ("
                + noAnswer.getMessage()
                + "); nothing was submitted, check --url and whether Livy runs",
            noAnswer);
      }
      batch = submittedAllTheSame(noAnswer);
    } catch (LivyRefusalException refused) {
      forgetRefused();
      throw refused;
    }
    lastAnswer = System.nanoTime();
    lastSign = lastAnswer;
    line.note("Batch   " + batch.id() + " at " + livy + ", named " + batch.name());
  }

  /** Livy keeps a number for what it refuses, as if it were about to start. */
  private void forgetRefused() {
    try {
      Optional<Batch> kept = livy.batch(request.name());
      if (kept.isPresent()) {
        livy.delete(kept.get().id());
      }
    } catch (LivyAwayException | LivyRefusalException asBefore) {
      line.note("Livy may show " + request.name() + " although nothing runs");
    }
  }

  /** The answer was lost; the batch may be there nevertheless, and its name is its own. */
  private Batch submittedAllTheSame(LivyAwayException noAnswer) {
    for (int look = 0; look < LOOKS_FOR_LOST_ANSWER; look++) {
      try {
        Optional<Batch> found = livy.batch(request.name());
        if (found.isPresent()) {
          return found.get();
        }
      } catch (LivyAwayException still) {
        noAnswer.addSuppressed(still);
      }
      pause();
    }
    throw new RunFailedException(
        "Livy at "
            + livy
            + " gave no answer ("
            + noAnswer.getMessage()
            + ") and shows no batch named "
            + request.name()
            + "; if it comes up there later, delete it",
        noAnswer);
  }

  private void follow() {
    while (true) {
      boolean ended = !forgotten && look();
      showSteps();
      if (ended) {
        end();
        return;
      }
      if (away || forgotten) {
        if (log.step() >= steps) {
          line.note("The run's own log says that all " + steps + " steps are done");
          return;
        }
        requireSign();
      }
      pause();
    }
  }

  /** Whether Livy says that the batch has ended. */
  private boolean look() {
    try {
      Optional<Batch> seen = livy.batch(batch.id());
      if (seen.isPresent() && seen.get().name().equals(request.name())) {
        back();
        seen(seen.get());
        return seen.get().state().ended();
      }
      missing(seen);
    } catch (LivyAwayException noAnswer) {
      if (!away) {
        line.note(
            "Livy at "
                + livy
                + " does not answer ("
                + noAnswer.getMessage()
                + "); following the run's own log "
                + logFile);
      }
      away = true;
    }
    return false;
  }

  private void back() {
    if (away) {
      line.note("Livy at " + livy + " answers again");
    }
    away = false;
    lastAnswer = System.nanoTime();
    lastSign = lastAnswer;
  }

  private void seen(Batch now) throws LivyAwayException {
    if (now.state() != batch.state() || !now.applicationId().equals(batch.applicationId())) {
      if (now.state() == BatchState.RUNNING) {
        line.note(
            "Batch   "
                + now.id()
                + " is running"
                + (now.applicationId().isEmpty() ? "" : " as " + now.applicationId()));
      }
      batch = now;
    }
    livy.log(batch.id())
        .ifPresent(
            text ->
                output.news(text.output()).stream()
                    .filter(DriverOutput::shown)
                    .forEach(line::note));
  }

  /** Livy answers, and under the batch's number there is nothing, or another batch. */
  private void missing(Optional<Batch> other) {
    boolean gap = away || System.nanoTime() - lastAnswer > patience.silence().toNanos();
    if (other.isEmpty() && !gap) {
      if (cancelled) {
        throw new RunFailedException("The batch was cancelled", null);
      }
      throw new RunFailedException(
          "Somebody else deleted " + words(batch) + " at Livy, which ends it" + afterStep(), null);
    }
    line.note(
        "Livy has forgotten "
            + words(batch)
            + other.map(batch -> ", its number belongs to '" + batch.name() + "' now").orElse("")
            + "; following the run's own log "
            + logFile);
    forgotten = true;
  }

  private void showSteps() {
    try {
      List<StepRecord> news = log.news();
      logAway = false;
      if (!news.isEmpty()) {
        lastSign = System.nanoTime();
        line.step(news.get(news.size() - 1).event());
      }
      for (StepRecord step : news) {
        step.validationLoss()
            .ifPresent(
                loss ->
                    line.note(
                        String.format(
                            Locale.ROOT,
                            "Validation after step %d: loss %.4f",
                            step.step(),
                            loss)));
      }
    } catch (IOException failure) {
      if (!logAway) {
        line.note("The run's log " + logFile + " cannot be read now: " + failure.getMessage());
      }
      logAway = true;
    }
  }

  private void requireSign() {
    Duration silence = Duration.ofNanos(System.nanoTime() - lastSign);
    if (silence.compareTo(patience.silence()) > 0) {
      throw new RunFailedException(
          "Livy "
              + (forgotten ? "has forgotten " + words(batch) : "does not answer")
              + " and the run's log "
              + logFile
              + " has not grown for "
              + silence.toSeconds()
              + " s"
              + afterStep()
              + "; the run may have ended or hang"
              + elsewhere(),
          null);
    }
  }

  private void end() {
    BatchState state = batch.state();
    if (state == BatchState.SUCCEEDED) {
      return;
    }
    Optional<DriverOutput.LastWord> said = lastWord();
    if (said.isPresent() && said.get().mistake()) {
      throw new InvalidInputException(said.get().sentence());
    }
    throw new RunFailedException(
        said.map(DriverOutput.LastWord::sentence)
            .orElseGet(
                () ->
                    "The driver of "
                        + words(batch)
                        + " ended without a word"
                        + afterStep()
                        + ", as one does that was killed from outside or took more memory than it"
                        + " may; Livy calls it "
                        + state.name().toLowerCase(Locale.ROOT)),
        null);
  }

  /** Livy may say that a driver has ended before it has read all that the driver wrote. */
  private Optional<DriverOutput.LastWord> lastWord() {
    Optional<DriverOutput.LastWord> word = Optional.empty();
    for (int look = 0; look < LOOKS_FOR_LAST_WORD && word.isEmpty(); look++) {
      pause();
      try {
        word = livy.log(batch.id()).flatMap(text -> DriverOutput.lastWord(text.all()));
      } catch (LivyAwayException noAnswer) {
        line.note("Livy at " + livy + " does not answer (" + noAnswer.getMessage() + ")");
      }
    }
    return word;
  }

  private Optional<Batch> ownBatch() throws LivyAwayException {
    return livy.batch(batch.id()).filter(seen -> seen.name().equals(request.name()));
  }

  private static String words(Batch batch) {
    return "batch " + batch.id() + " (" + batch.name() + ")";
  }

  private String afterStep() {
    return log.step() == 0 ? " before its first step" : " after step " + log.step();
  }

  private String elsewhere() {
    return batch == null || batch.applicationId().isEmpty()
        ? "; Spark's web page shows whether it does"
        : "; Spark's web page shows whether " + batch.applicationId() + " does";
  }

  private void pause() {
    try {
      Thread.sleep(patience.look().toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new RunFailedException("Interrupted while the batch runs on", interrupted);
    }
  }
}
