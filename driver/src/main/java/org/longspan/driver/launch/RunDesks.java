package org.longspan.driver.launch;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.longspan.driver.event.EventCodec;
import org.longspan.driver.event.RankMessage;
import org.longspan.parallelism.message.MessageCodec;

/** The driver's open runs: Spark hands over what any rank says, and the run's desk answers it. */
final class RunDesks {
  private static final MessageCodec CODEC = EventCodec.create();
  private static final Map<String, RunDesk> OPEN = new ConcurrentHashMap<>();

  private RunDesks() {}

  static void open(String run, RunDesk desk) {
    OPEN.put(run, desk);
  }

  static void close(String run) {
    OPEN.remove(run);
  }

  /**
   * What the run's desk answers; a run that is over takes nothing and allows nothing. Empty for an
   * event: nobody waits for an answer, and Spark would warn of one.
   */
  static Optional<Boolean> answer(byte[] bytes) {
    RankMessage message = CODEC.decode(bytes, RankMessage.class);
    RunDesk desk = OPEN.get(message.sender().run());
    boolean answer = desk != null && desk.answer(message);
    return message instanceof RankMessage.Told ? Optional.empty() : Optional.of(answer);
  }
}
