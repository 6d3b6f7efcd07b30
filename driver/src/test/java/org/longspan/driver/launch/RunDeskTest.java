package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.longspan.driver.event.FailureKind;
import org.longspan.driver.event.RankMessage;
import org.longspan.driver.event.RankMessage.Sender;
import org.longspan.driver.recovery.AttemptLedger;
import org.longspan.executors.train.RankEvent;

class RunDeskTest {
  private final List<RankEvent> heard = new ArrayList<>();
  private final AtomicInteger cancelled = new AtomicInteger();
  private final RunDesk desk =
      new RunDesk(new AttemptLedger(2, explanation -> {}), heard::add, cancelled::incrementAndGet);

  @Test
  void shouldDropWhatAnOlderAttemptReports() {
    RankEvent stale = new RankEvent.Checkpoint(1, "old");
    RankEvent fresh = new RankEvent.Checkpoint(1, "new");
    desk.answer(new RankMessage.Started(sender(0), 0));
    desk.answer(new RankMessage.Started(sender(1), 0));
    desk.answer(new RankMessage.Told(sender(0), stale));
    desk.answer(new RankMessage.Told(sender(1), fresh));

    assertThat(heard).containsExactly(fresh);
  }

  @Test
  void shouldCountAttemptsFromTheLastCheckpoint() {
    desk.answer(new RankMessage.Started(sender(1), 0));
    desk.answer(new RankMessage.Told(sender(1), new RankEvent.Checkpoint(1, "path")));

    assertThat(desk.answer(new RankMessage.Started(sender(2), 0))).isTrue();
    assertThat(cancelled).hasValue(0);
    assertThat(desk.answer(new RankMessage.Started(sender(3), 0))).isFalse();
    assertThat(cancelled).hasValue(1);
  }

  @Test
  void shouldCancelAtOnceAfterAnInvalidInput() {
    RankMessage failed = new RankMessage.Failed(sender(0), FailureKind.INVALID_INPUT, "Wrong.");

    assertThat(desk.answer(failed)).isFalse();
    assertThat(cancelled).hasValue(1);
  }

  @Test
  void shouldGoOnWhereTheListenerThrows() {
    RunDesk deaf =
        new RunDesk(
            new AttemptLedger(2, explanation -> {}),
            event -> {
              throw new IllegalStateException("disk full");
            },
            cancelled::incrementAndGet);

    assertThat(deaf.answer(new RankMessage.Told(sender(0), new RankEvent.Validation(1, 1, 1))))
        .isTrue();
    assertThat(cancelled).hasValue(0);
  }

  private static Sender sender(int attempt) {
    return new Sender("run", 0, attempt, "host");
  }
}
