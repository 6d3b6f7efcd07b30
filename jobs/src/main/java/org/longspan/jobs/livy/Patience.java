package org.longspan.jobs.livy;

import java.time.Duration;

/**
 * How often who waits for a batch looks, and how long without a sign of life.
 *
 * @param look time between two looks
 * @param silence longest time without a word from Livy or a line in the run's own log
 */
public record Patience(Duration look, Duration silence) {

  /** A look a second, and silence as long as nodes and images may take to come. */
  public static Patience usual() {
    return new Patience(Duration.ofSeconds(1), Duration.ofMinutes(5));
  }
}
