package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class MailboxClaimTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final int LABEL = MessageLabel.of(MessageLabel.Kind.SEND, 1);
  private static final int OTHER_LABEL = MessageLabel.of(MessageLabel.Kind.SEND, 2);
  private static final int BYTES = 100;
  private static final int MARGIN = 7;
  private static final byte POISON = 0x55;

  private final AtomicInteger taken = new AtomicInteger();
  private final Mailbox mailbox = new Mailbox(new Route(0, 1, 2), taken::addAndGet);
  private final ByteBuffer destination = poisoned();
  private final AtomicReference<TransportException> failure = new AtomicReference<>();

  @Test
  void shouldReceiveWhatWasWrittenInPlace() {
    Thread receiver = receive(LONG);
    write(claim(60), 60, (byte) 1);
    mailbox.deliver(LABEL, BYTES, ByteBuffer.allocate(10));
    write(claim(30), 30, (byte) 2);
    TransportContract.join(receiver);
    assertThat(failure).hasNullValue();
    assertThat(taken).hasValue(BYTES);
    destination.clear();
    for (int place = 0; place < destination.capacity(); place++) {
      int inMessage = place - MARGIN;
      int expected =
          inMessage < 0 || inMessage >= BYTES
              ? POISON
              : inMessage < 60 ? 1 : inMessage < 70 ? 0 : 2;
      assertThat(destination.get(place)).isEqualTo((byte) expected);
    }
  }

  @Test
  void shouldClaimAgainWhereFewerBytesCameOrNone() {
    Thread receiver = receive(LONG);
    claim(60);
    mailbox.arrived(0);
    ByteBuffer sixty = claim(60);
    sixty.put(0, (byte) 1);
    mailbox.arrived(1);
    write(claim(99), 99, (byte) 2);
    TransportContract.join(receiver);
    assertThat(failure).hasNullValue();
    assertThat(destination.get(MARGIN)).isEqualTo((byte) 1);
    assertThat(destination.get(MARGIN + 1)).isEqualTo((byte) 2);
    assertThat(destination.get(MARGIN + 99)).isEqualTo((byte) 2);
  }

  @Test
  void shouldNotEndAReceiveAtItsLimitBeforeTheClaimIsOver() {
    Thread receiver;
    ByteBuffer place;
    // On a busy machine the limit may be over before there was time for the claim.
    do {
      receiver = receive(SHORT);
      place = mailbox.claim(LABEL, BYTES, 1, 60);
    } while (place == null);
    assertStillWaits(receiver);
    write(place, 60, (byte) 1);
    TransportContract.join(receiver);
    assertThat(failure.get())
        .hasMessage("Rank 0, peer 1, channel 2, send 1: nothing arrived within 0.2 s");
    assertNothingCanBeClaimed();
  }

  @Test
  void shouldNotEndAnInterruptedReceiveBeforeTheClaimIsOver() {
    Thread receiver = receive(LONG);
    claim(60);
    receiver.interrupt();
    assertStillWaits(receiver);
    mailbox.arrived(0);
    TransportContract.join(receiver);
    assertThat(failure.get())
        .hasMessage("Rank 0, peer 1, channel 2, send 1: interrupted while waiting");
  }

  @Test
  void shouldNotEndAReceiveFromALostPeerBeforeTheClaimIsOver() {
    Thread receiver = receive(LONG);
    claim(60);
    mailbox.fail("the peer is gone", Duration.ZERO);
    assertStillWaits(receiver);
    mailbox.arrived(0);
    TransportContract.join(receiver);
    assertThat(failure.get()).hasMessage("Rank 0, peer 1, channel 2, send 1: the peer is gone");
  }

  @Test
  void shouldNotLoseSilentlyAMessageThatCompletesWhileItsReceiveEnds() {
    Thread receiver = receive(LONG);
    ByteBuffer place = claim(BYTES);
    receiver.interrupt();
    assertStillWaits(receiver);
    write(place, BYTES, (byte) 1);
    TransportContract.join(receiver);
    assertThat(failure.get()).isNotNull();
    TransportContract.join(receive(LONG));
    assertThat(failure.get())
        .hasMessage(
            "Rank 0, peer 1, channel 2, send 1: an earlier receive ended in the middle of a"
                + " message");
  }

  @ParameterizedTest
  @CsvSource({
    "another label, 2, 100, 60, 10",
    "another length, 1, 99, 60, 10",
    "more than the message has, 1, 100, 101, 10",
    "not worth while, 1, 100, 9, 10",
  })
  void shouldNotLendTheBufferToWhatDoesNotFit(
      String what, int label, int messageLength, int most, int least) {
    Thread receiver = receive(LONG);
    assertThat(mailbox.claim(label == 1 ? LABEL : OTHER_LABEL, messageLength, least, most))
        .as(what)
        .isNull();
    assertThat(destination).isEqualTo(poisoned());
    write(claim(BYTES), BYTES, (byte) 1);
    TransportContract.join(receiver);
  }

  @Test
  void shouldLendNoBufferBeforeWhatWaitsWasTaken() {
    mailbox.deliver(OTHER_LABEL, BYTES, ByteBuffer.allocate(BYTES));
    assertNothingCanBeClaimed();
    TransportContract.join(receive(LONG));
    assertNothingCanBeClaimed();
    assertThat(destination).isEqualTo(poisoned());
    assertThat(failure.get()).hasMessageContaining("a message of send 2 arrived");
  }

  @Test
  void shouldLendNoBufferOnTheHeap() {
    Thread receiver = receive(ByteBuffer.allocate(BYTES), LONG);
    TransportContract.waitUntilBlocked(receiver);
    assertNothingCanBeClaimed();
    mailbox.deliver(LABEL, BYTES, ByteBuffer.allocate(BYTES));
    TransportContract.join(receiver);
    assertThat(failure).hasNullValue();
  }

  @Test
  void shouldSayThatAPieceIsTooLongForItsMessage() {
    mailbox.deliver(LABEL, BYTES, ByteBuffer.allocate(60));
    mailbox.deliver(LABEL, BYTES, ByteBuffer.allocate(50));
    TransportContract.join(receive(LONG));
    assertThat(failure.get())
        .hasMessage(
            "Rank 0, peer 1, channel 2, send 1: a piece of 50 bytes arrived where 40 were left of"
                + " the message");
  }

  private static ByteBuffer poisoned() {
    ByteBuffer poisoned = ByteBuffer.allocateDirect(BYTES + 2 * MARGIN);
    while (poisoned.hasRemaining()) {
      poisoned.put(POISON);
    }
    return poisoned.position(MARGIN).limit(MARGIN + BYTES);
  }

  /** Starts a receive and waits until it waits, or has ended. */
  private Thread receive(Duration limit) {
    Thread receiver = receive(destination, limit);
    while (receiver.isAlive() && receiver.getState() != Thread.State.TIMED_WAITING) {
      TransportContract.sleep(1);
    }
    return receiver;
  }

  private Thread receive(ByteBuffer into, Duration limit) {
    Thread receiver =
        new Thread(
            () -> {
              try {
                mailbox.receive(LABEL, into, Deadline.after(limit));
              } catch (TransportException e) {
                failure.set(e);
              }
            });
    receiver.start();
    return receiver;
  }

  private ByteBuffer claim(int bytes) {
    assertThat(mailbox.wouldLend(bytes)).isTrue();
    ByteBuffer place = mailbox.claim(LABEL, BYTES, 1, bytes);
    assertThat(place.capacity()).isEqualTo(bytes);
    return place;
  }

  private void write(ByteBuffer place, int bytes, byte value) {
    for (int i = 0; i < bytes; i++) {
      place.put(i, value);
    }
    mailbox.arrived(bytes);
  }

  private void assertNothingCanBeClaimed() {
    assertThat(mailbox.wouldLend(1)).isFalse();
    assertThat(mailbox.claim(LABEL, BYTES, 1, BYTES)).isNull();
  }

  /** Waits for much longer than the receive's limit. */
  private static void assertStillWaits(Thread receiver) {
    TransportContract.sleep(2 * (int) SHORT.toMillis());
    assertThat(receiver.isAlive()).isTrue();
  }
}
