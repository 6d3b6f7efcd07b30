package org.longspan.driver.event;

import java.util.List;
import org.longspan.driver.plan.RankPlan;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.message.MessageCodec;

/**
 * Makes the codec for what the driver and the ranks tell each other; every class that can be
 * written is here.
 */
public final class EventCodec {
  private static final List<Class<? extends Record>> CLASSES =
      List.of(
          Mesh.class,
          RankPlan.class,
          RankMessage.Sender.class,
          RankMessage.Started.class,
          RankMessage.Told.class,
          RankMessage.Finished.class,
          RankMessage.Failed.class,
          RankEvent.Ready.class,
          RankEvent.Failed.class,
          RankEvent.Resumed.class,
          RankEvent.Step.class,
          RankEvent.Validation.class,
          RankEvent.Recall.class,
          RankEvent.Checkpoint.class);

  private EventCodec() {}

  /** A codec for the plan, for rank messages, and for the addresses that ranks exchange. */
  public static MessageCodec create() {
    MessageCodec.Builder builder = MessageCodec.builder();
    CLASSES.forEach(type -> register(builder, type));
    return builder.build();
  }

  private static <T extends Record> void register(MessageCodec.Builder builder, Class<T> type) {
    builder.register(type, new RecordSerializer<>(type));
  }

  static List<Class<? extends Record>> classes() {
    return CLASSES;
  }
}
