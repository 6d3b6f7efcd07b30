package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.LongConsumer;

/**
 * What this rank receives from one peer on one channel. Once a quarter of the window has gone into
 * the receivers' buffers the sender is told.
 *
 * <p>Threading: {@link #begin}, {@link #deliver} and what concerns bytes that come in place are
 * called by the accepted connection's one thread, the rest by any.
 */
final class IncomingLane {
  private static final int CREDIT_STEP = Transport.WINDOW_BYTES / 4;

  private final Route route;
  private final Mailbox mailbox;
  private final LongConsumer credit;
  private long expected;
  private long taken;
  private long credited;

  /**
   * @param credit tells the sender how many payload bytes were taken in all
   */
  IncomingLane(Route route, LongConsumer credit) {
    this.route = route;
    this.credit = credit;
    this.mailbox = new Mailbox(route, this::took);
  }

  void receive(int label, ByteBuffer into, Deadline deadline) {
    mailbox.receive(label, into, deadline);
  }

  /** A frame starts; throws where it is not the next one. */
  void begin(FrameHeader frame) {
    if (frame.sequence() != expected) {
      throw route.failure(
          "piece " + frame.sequence() + " came where piece " + expected + " was to come");
    }
    expected++;
  }

  /** Some of the bytes of the frame that has begun; they are copied. */
  void deliver(FrameHeader frame, ByteBuffer bytes) {
    mailbox.deliver(frame.label(), frame.messageLength(), bytes);
  }

  /** {@link Mailbox#claim}, for the frame that has begun. */
  ByteBuffer claim(FrameHeader frame, int least, int most) {
    return mailbox.claim(frame.label(), frame.messageLength(), least, most);
  }

  /** {@link Mailbox#arrived}. */
  void arrived(int bytes) {
    mailbox.arrived(bytes);
  }

  /** {@link Mailbox#wouldLend}. */
  boolean wouldLend(int least) {
    return mailbox.wouldLend(least);
  }

  void fail(String sentence, Duration grace) {
    mailbox.fail(sentence, grace);
  }

  void remark(String sentence) {
    mailbox.remark(sentence);
  }

  private void took(int bytes) {
    taken += bytes;
    if (taken - credited >= CREDIT_STEP) {
      credited = taken;
      credit.accept(taken);
    }
  }
}
