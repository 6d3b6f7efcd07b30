package org.longspan.executors.bench.recall;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.layer.RankMode.Exchange;
import org.longspan.executors.train.RankContext;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** Trains two ranks of this JVM. */
class RecallProgramTest {
  private static final int STEPS = 200;

  /** Four standard deviations above chance: 2,048 guesses are luckier once in 30,000 times. */
  private static final double LUCKIEST_GUESS =
      RecallTask.CHANCE + 4 * Math.sqrt(RecallTask.CHANCE * (1 - RecallTask.CHANCE) / 2_048);

  private record Context(Mesh mesh, Transport transport, List<RankEvent> events)
      implements RankContext {
    @Override
    public int attempt() {
      return 0;
    }

    @Override
    public int threads() {
      return 1;
    }

    @Override
    public Configuration hadoop() {
      throw new UnsupportedOperationException("Recall reads no file");
    }

    @Override
    public void report(RankEvent event) {
      events.add(event);
    }
  }

  private static List<RankEvent> run(Exchange exchange) {
    RecallSettings settings =
        new RecallSettings(new RecallTask(2, 16, 1), MixerKind.GATED_DELTA, STEPS, exchange);
    List<RankEvent> events = Collections.synchronizedList(new ArrayList<>());
    LocalRanks.run(
        InProcessTransport.connect(2, Duration.ofSeconds(60)),
        transport -> {
          new RecallProgram(settings).run(new Context(new Mesh(1, 2, 1), transport, events));
          return null;
        });
    return events;
  }

  private static double accuracy(List<RankEvent> events) {
    RankEvent.Recall recall = (RankEvent.Recall) events.get(events.size() - 1);
    assertThat(recall.asked()).isEqualTo(2_048);
    return (double) recall.right() / recall.asked();
  }

  private static List<RankEvent.Step> steps(List<RankEvent> events) {
    return events.stream()
        .filter(RankEvent.Step.class::isInstance)
        .map(RankEvent.Step.class::cast)
        .toList();
  }

  @Test
  void shouldTrainWithTheExchangeUntilItRecalls() {
    List<RankEvent> events = run(Exchange.WHOLE);
    assertThat(accuracy(events)).isGreaterThan(0.95);
    assertThat(events.stream().filter(RankEvent.Ready.class::isInstance)).hasSize(2);
    List<RankEvent.Step> steps = steps(events);
    assertThat(steps).extracting(RankEvent.Step::tokens).containsOnly(32L * 2 * 16);
    assertThat(steps).hasSizeBetween(3, STEPS - 1);
    int first = steps.size() - 3;
    assertThat(steps.subList(first, steps.size()))
        .allSatisfy(step -> assertThat(step.loss()).isLessThan(0.02));
    assertThat(steps.get(first - 1).loss()).isGreaterThanOrEqualTo(0.02);
  }

  @Test
  void shouldTakeAllItsStepsAndThenGuessWhereTheExchangeIsCut() {
    List<RankEvent> events = run(Exchange.CUT);
    assertThat(accuracy(events)).isLessThan(LUCKIEST_GUESS);
    assertThat(steps(events)).hasSize(STEPS);
  }
}
