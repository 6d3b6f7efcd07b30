package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WindowTest {
  private static final Duration LIMIT = Duration.ofMillis(400);

  private final Window window = new Window();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final Route route = new Route(0, 1, 2);

  @Test
  void shouldLetAPieceLargerThanItselfPassAlone() {
    int large = 2 * Transport.WINDOW_BYTES;
    assertThat(window.takeAtOnce(large)).isTrue();
    assertThat(window.takeAtOnce(1)).isFalse();
    window.giveBack(large);
    assertThat(window.takeAtOnce(1)).isTrue();
    assertThat(window.takeAtOnce(large)).isFalse();
  }

  @Test
  void shouldEndAWaitAtItsLimitEvenWhereAPeerTakesByteByByte() {
    window.begin();
    assertThat(window.takeAtOnce(Transport.WINDOW_BYTES)).isTrue();
    Thread taker = new Thread(this::giveBackByteByByte);
    taker.start();
    TransportContract.awaitLatch(begun);
    long start = System.nanoTime();
    assertThatThrownBy(() -> window.take(route, Transport.WINDOW_BYTES, Deadline.after(LIMIT)))
        .isInstanceOf(TransportException.class)
        .hasMessageMatching(
            "Rank 0, peer 1, channel 2: the peer took only \\d+ bytes within 0.4 s; \\d+ bytes are"
                + " under way");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT.multipliedBy(50));
    taker.interrupt();
    TransportContract.join(taker);
  }

  private void giveBackByteByByte() {
    try {
      for (int taken = 0; taken < Transport.WINDOW_BYTES; taken++) {
        window.giveBack(1);
        begun.countDown();
        Thread.sleep(20);
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }
}
