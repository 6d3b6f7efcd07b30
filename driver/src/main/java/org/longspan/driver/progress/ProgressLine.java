package org.longspan.driver.progress;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.longspan.executors.train.RankEvent;

/**
 * What a long run shows while it works: on a terminal one line that is rewritten at each step,
 * elsewhere a plain line now and then.
 *
 * <p>Not thread-safe.
 */
public final class ProgressLine {
  private static final String CLEAR = "\r\u001B[K";
  private static final long PLAIN_INTERVAL_NANOS = 10_000_000_000L;

  /** Weight of the newest step in the moving mean that the time left is reckoned with. */
  private static final double NEWEST = 0.1;

  private final PrintStream out;
  private final boolean terminal;
  private final long steps;
  private final LongSupplier nanoTime;
  private long lastPlain;
  private long lastStep;
  private long lastNumber;
  private double secondsPerStep;
  private boolean shown;

  /**
   * @param terminal whether {@code out} is one, so that a line can be rewritten
   * @param steps of the whole run
   */
  public ProgressLine(PrintStream out, boolean terminal, long steps) {
    this(out, terminal, steps, System::nanoTime);
  }

  ProgressLine(PrintStream out, boolean terminal, long steps, LongSupplier nanoTime) {
    this.out = out;
    this.terminal = terminal;
    this.steps = steps;
    this.nanoTime = nanoTime;
  }

  /** Shows the newest step; who looks on from elsewhere may have missed some before it. */
  public void step(RankEvent.Step step) {
    long now = nanoTime.getAsLong();
    secondsPerStep = mean(now, step);
    lastStep = now;
    lastNumber = step.step();
    String line = line(step);
    if (terminal) {
      out.print(CLEAR + line);
      out.flush();
    } else if (!shown || step.step() == steps || now - lastPlain >= PLAIN_INTERVAL_NANOS) {
      out.println(line);
      lastPlain = now;
    }
    shown = true;
  }

  /** Prints a line of its own, above the one that is rewritten. */
  public void note(String line) {
    out.println((terminal && shown ? CLEAR : "") + line);
    out.flush();
  }

  /** Leaves the last line standing. */
  public void end() {
    if (terminal && shown) {
      out.println();
      shown = false;
    }
  }

  /** Validations and checkpoints lie between steps: what counts is the time from step to step. */
  private double mean(long now, RankEvent.Step step) {
    long passed = shown ? Math.max(1, step.step() - lastNumber) : 1;
    double seconds =
        shown ? Math.max(step.seconds(), (now - lastStep) / 1e9 / (double) passed) : step.seconds();
    double weight = 1 - Math.pow(1 - NEWEST, (double) passed);
    return secondsPerStep == 0 ? seconds : weight * seconds + (1 - weight) * secondsPerStep;
  }

  private String line(RankEvent.Step step) {
    return String.format(
        Locale.ROOT,
        "step %d/%d  loss %.4f  %,.0f tokens/s  %s left",
        step.step(),
        steps,
        step.loss(),
        step.seconds() > 0 ? step.tokens() / step.seconds() : 0,
        Durations.words((steps - step.step()) * secondsPerStep));
  }
}
