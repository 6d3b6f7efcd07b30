package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MailboxTest {
  private static final Duration LIMIT = Duration.ofMillis(400);
  private static final int LABEL = MessageLabel.of(MessageLabel.Kind.SEND, 1);
  private static final int MESSAGE_BYTES = 1_000_000;

  private final Mailbox mailbox = new Mailbox(new Route(0, 1, 2), bytes -> {});
  private final CountDownLatch begun = new CountDownLatch(1);
  private final Thread trickle = new Thread(this::deliverByteByByte);

  @BeforeEach
  void startTheTrickle() {
    trickle.start();
    TransportContract.awaitLatch(begun);
  }

  @AfterEach
  void endTheTrickle() {
    trickle.interrupt();
    TransportContract.join(trickle);
  }

  @Test
  void shouldEndAReceiveAtItsLimitEvenWhereBytesTrickleIn() {
    long start = System.nanoTime();
    assertThatThrownBy(
            () -> mailbox.receive(LABEL, ByteBuffer.allocate(MESSAGE_BYTES), Deadline.after(LIMIT)))
        .isInstanceOf(TransportException.class)
        .hasMessageMatching(
            "Rank 0, peer 1, channel 2, send 1: only \\d+ of 1000000 bytes arrived within 0.4 s");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT.multipliedBy(50));
  }

  @Test
  void shouldSayHowMuchHadArrivedWhenThePeerIsLost() {
    Thread failing =
        new Thread(
            () -> {
              TransportContract.sleep(100);
              mailbox.fail("the peer is gone", Duration.ZERO);
            });
    failing.start();
    assertThatThrownBy(
            () ->
                mailbox.receive(
                    LABEL,
                    ByteBuffer.allocate(MESSAGE_BYTES),
                    Deadline.after(Duration.ofMinutes(1))))
        .hasMessageMatching(
            "Rank 0, peer 1, channel 2, send 1: the peer is gone; only \\d+ of 1000000 bytes had"
                + " arrived");
    TransportContract.join(failing);
  }

  @Test
  void shouldNotGoOnWithTheRestOfAMessageGivenUp() {
    ByteBuffer into = ByteBuffer.allocate(MESSAGE_BYTES);
    assertThatThrownBy(() -> mailbox.receive(LABEL, into, Deadline.after(LIMIT)))
        .isInstanceOf(TransportException.class);
    assertThatThrownBy(() -> mailbox.receive(LABEL, into, Deadline.after(LIMIT)))
        .isInstanceOf(TransportException.class);
    assertThat(trickle.isAlive()).isTrue();
  }

  private void deliverByteByByte() {
    ByteBuffer piece = ByteBuffer.allocate(1);
    try {
      for (int sent = 0; sent < MESSAGE_BYTES; sent++) {
        mailbox.deliver(LABEL, MESSAGE_BYTES, piece);
        begun.countDown();
        Thread.sleep(20);
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }
}
