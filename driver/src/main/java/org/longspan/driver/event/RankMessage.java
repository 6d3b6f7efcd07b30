package org.longspan.driver.event;

import org.longspan.executors.train.RankEvent;

/** What a rank says to the driver. */
public sealed interface RankMessage {
  /** Who says it: a rank, in one attempt of one run. */
  record Sender(String run, int rank, int attempt, String host) {}

  Sender sender();

  /**
   * Asks whether this attempt may go on.
   *
   * @param task that the rank is, of the attempt's stage
   */
  record Started(Sender sender, int task) implements RankMessage {}

  /** Something that the program reports. */
  record Told(Sender sender, RankEvent event) implements RankMessage {}

  /** The program has ended, and everything that it reported was sent before. */
  record Finished(Sender sender) implements RankMessage {}

  /**
   * The program has failed; asks whether another attempt may follow.
   *
   * @param sentence what went wrong, without a stack trace
   */
  record Failed(Sender sender, FailureKind kind, String sentence) implements RankMessage {}
}
