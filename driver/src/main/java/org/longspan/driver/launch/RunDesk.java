package org.longspan.driver.launch;

import java.util.function.Consumer;
import org.longspan.driver.event.RankMessage;
import org.longspan.driver.event.RankMessage.Sender;
import org.longspan.driver.recovery.AttemptLedger;
import org.longspan.driver.recovery.Failure;
import org.longspan.executors.train.RankEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the ranks of one run: hands on what the newest attempt reports, and ends the run where no
 * other attempt may follow.
 *
 * <p>Threading: Spark calls it from one thread at a time.
 */
final class RunDesk {
  private static final Logger LOG = LoggerFactory.getLogger(RunDesk.class);

  private final AttemptLedger ledger;
  private final Consumer<RankEvent> events;
  private final Runnable cancel;

  /**
   * @param cancel ends the run's job
   */
  RunDesk(AttemptLedger ledger, Consumer<RankEvent> events, Runnable cancel) {
    this.ledger = ledger;
    this.events = events;
    this.cancel = cancel;
  }

  /** Whether the rank may go on as it means to. */
  boolean answer(RankMessage message) {
    Sender sender = message.sender();
    if (message instanceof RankMessage.Told told) {
      handOn(sender, told.event());
      return true;
    }
    if (message instanceof RankMessage.Started started) {
      ledger.seated(sender.attempt(), started.task(), sender.rank());
      return orCancel(ledger.started(sender.attempt()));
    }
    if (message instanceof RankMessage.Failed failed) {
      Failure failure =
          new Failure(
              sender.rank(), sender.attempt(), sender.host(), failed.kind(), failed.sentence());
      return orCancel(ledger.failed(failure));
    }
    return true;
  }

  private void handOn(Sender sender, RankEvent event) {
    if (!ledger.isNewest(sender.attempt())) {
      return;
    }
    if (event instanceof RankEvent.Checkpoint) {
      ledger.progressed(sender.attempt());
    }
    try {
      events.accept(event);
    } catch (RuntimeException unheard) {
      // Who watches a run must not be able to end it.
      LOG.error("What rank {} reported was not taken: {}", sender.rank(), event, unheard);
    }
  }

  private boolean orCancel(boolean mayGoOn) {
    if (!mayGoOn) {
      cancel.run();
    }
    return mayGoOn;
  }
}
