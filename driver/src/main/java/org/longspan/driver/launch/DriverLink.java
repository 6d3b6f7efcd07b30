package org.longspan.driver.launch;

import java.io.IOException;
import org.apache.spark.api.plugin.PluginContext;
import org.longspan.driver.event.FailureKind;
import org.longspan.driver.event.RankMessage;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.message.MessageCodec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rank's line to the driver. What is said on it arrives in the order in which it was said. */
final class DriverLink {
  private static final Logger LOG = LoggerFactory.getLogger(DriverLink.class);

  /** The executor's, not a rank's: Spark gives it to the plugin alone, before any task runs. */
  private static volatile PluginContext plugin;

  private final MessageCodec codec;
  private final RankMessage.Sender sender;

  DriverLink(MessageCodec codec, RankMessage.Sender sender) {
    this.codec = codec;
    this.sender = sender;
  }

  static void open(PluginContext context) {
    plugin = context;
  }

  static void close() {
    plugin = null;
  }

  /**
   * Asks whether this attempt may go on.
   *
   * @param task that the rank is, of the stage's
   */
  boolean started(int task) throws InterruptedException {
    return ask(new RankMessage.Started(sender, task));
  }

  /** Returns when all that was told before has been heard. */
  void finished() throws InterruptedException {
    ask(new RankMessage.Finished(sender));
  }

  /** Asks whether another attempt may follow. */
  boolean failed(Throwable failure) throws InterruptedException {
    return ask(
        new RankMessage.Failed(sender, FailureKind.of(failure), FailureKind.sentence(failure)));
  }

  /** Hands the event to Spark and returns. */
  void tell(RankEvent event) {
    try {
      context().send(codec.encode(new RankMessage.Told(sender, event)));
    } catch (IOException unsent) {
      LOG.warn("Rank {} could not tell the driver {}", sender.rank(), event, unsent);
    }
  }

  private <M extends Record & RankMessage> boolean ask(M message) throws InterruptedException {
    try {
      return (Boolean) context().ask(codec.encode(message));
    } catch (InterruptedException killed) {
      throw killed;
    } catch (Exception unanswered) {
      throw new IllegalStateException(
          "Rank " + sender.rank() + " got no answer from the driver", unanswered);
    }
  }

  private static PluginContext context() {
    PluginContext context = plugin;
    if (context == null) {
      throw new IllegalStateException("This executor runs without " + EventPlugin.class.getName());
    }
    return context;
  }
}
