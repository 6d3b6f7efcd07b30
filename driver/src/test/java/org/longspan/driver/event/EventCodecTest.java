package org.longspan.driver.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.driver.plan.RankPlan;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.message.MessageCodec;
import org.longspan.parallelism.message.MessageException;

class EventCodecTest {
  private static final RankMessage.Sender SENDER = new RankMessage.Sender("run", 3, 2, "host.name");
  private static final Mesh MESH = new Mesh(2, 3, 1);

  static List<Record> messages() {
    RankEvent step = new RankEvent.Step(1L << 40, 2.5e-300, Long.MAX_VALUE, 0.25, Double.NaN, 3e-3);
    return List.of(
        MESH,
        new RankPlan("run", "a secret", MESH, Duration.ofSeconds(Long.MAX_VALUE, 1)),
        SENDER,
        new RankMessage.Started(SENDER, 3),
        new RankMessage.Told(SENDER, step),
        new RankMessage.Finished(SENDER),
        new RankMessage.Failed(SENDER, FailureKind.FAULT, "A sentence with ümläuts."),
        new RankMessage.Failed(SENDER, FailureKind.INVALID_INPUT, null),
        new RankEvent.Ready(7, 1, "host", 4_294_967_296L, 2, "cpu"),
        new RankEvent.Failed(1, 0, "host", "it is lost"),
        new RankEvent.Resumed(1, 50, "hdfs://host/run/step-50"),
        (Record) step,
        new RankEvent.Validation(10, 1.5, 1L << 33),
        new RankEvent.Recall(2_000, 2_048),
        new RankEvent.Checkpoint(50, ""));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void shouldReadWhatItWrites(Record message) {
    MessageCodec writer = EventCodec.create();
    MessageCodec reader = EventCodec.create();

    assertThat(reader.decode(writer.encode(message), Record.class)).isEqualTo(message);
  }

  @Test
  void shouldCoverEveryEventAndMessage() {
    Set<Class<?>> tried = messages().stream().map(Object::getClass).collect(Collectors.toSet());

    assertThat(tried).containsExactlyInAnyOrderElementsOf(EventCodec.classes());
    assertThat(EventCodec.classes())
        .containsAll(subclasses(RankEvent.class))
        .containsAll(subclasses(RankMessage.class));
  }

  private static List<Class<? extends Record>> subclasses(Class<?> sealed) {
    return Stream.of(sealed.getPermittedSubclasses())
        .<Class<? extends Record>>map(type -> type.asSubclass(Record.class))
        .toList();
  }

  @Test
  void shouldRefuseWhatIsNotRegistered() {
    record Stranger(int number) {}

    assertThatThrownBy(() -> EventCodec.create().encode(new Stranger(1)))
        .isInstanceOf(MessageException.class)
        .hasMessageContaining("not registered");
  }

  @Test
  void shouldRefuseBytesThatAreNoMessage() {
    assertThatThrownBy(() -> EventCodec.create().decode(new byte[] {99, 1, 2}, Record.class))
        .isInstanceOf(MessageException.class);
    byte[] whole = EventCodec.create().encode(new RankMessage.Started(SENDER, 3));
    byte[] cut = Arrays.copyOf(whole, whole.length - 3);
    assertThatThrownBy(() -> EventCodec.create().decode(cut, Record.class))
        .isInstanceOf(MessageException.class);
  }
}
