package org.longspan.executors.bench.collective;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.bench.RankTimes;
import org.longspan.executors.bench.process.RankBody;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.transport.Transport;

/**
 * A rank that measures every collective on states of several sizes. Rank 0 says the costs of the
 * link first, then a {@link Measurement} for each collective and size.
 *
 * <p>Arguments: repetitions, then the heads of each state, of 128 × 128 floats each.
 */
public final class CollectiveRank implements RankBody {
  static final int LEAST_HEADS = 16;

  private static final int HEAD_WIDTH = 128;
  private static final int CHANNEL = 10;
  private static final int WARM_UP = 40;
  private static final int WARM_UP_OF_A_STATE = 4;

  static StateShape shape(int heads) {
    return new StateShape(ElementType.FLOAT, heads, HEAD_WIDTH, HEAD_WIDTH);
  }

  @Override
  public void run(Transport transport, List<String> arguments, Consumer<String> results) {
    int repetitions = Integer.parseInt(arguments.get(0));
    List<Integer> everyone = IntStream.range(0, transport.size()).boxed().toList();
    try (Communicator communicator = Communicator.over(transport, everyone, CHANNEL)) {
      warmUp(communicator, shape(Integer.parseInt(arguments.get(1))));
      LinkCosts costs = LinkCostProbe.measure(transport, communicator);
      if (costs != null) {
        results.accept(costs.written());
      }
      ScanCosts scanCosts = ScanCosts.measure(communicator);
      for (String heads : arguments.subList(1, arguments.size())) {
        StateShape shape = shape(Integer.parseInt(heads));
        List<Trial> trials = new Trials(communicator, shape, scanCosts).all();
        List<Measurement> measured = measure(communicator, shape, trials, repetitions, costs);
        if (transport.rank() == 0) {
          measured.forEach(measurement -> results.accept(measurement.written()));
        }
      }
    }
  }

  /** Has the compiler see everything that is measured, the costs of the link too. */
  private static void warmUp(Communicator communicator, StateShape shape) {
    List<Trial> trials = new Trials(communicator, shape, ScanCosts.measure(communicator)).all();
    for (int round = 0; round < WARM_UP; round++) {
      for (Trial trial : trials) {
        communicator.barrier();
        trial.action().run();
      }
    }
  }

  /** The repetitions take turns, so that what else the machine does falls on all trials alike. */
  private static List<Measurement> measure(
      Communicator communicator,
      StateShape shape,
      List<Trial> trials,
      int repetitions,
      LinkCosts costs) {
    double[][] seconds = new double[trials.size()][repetitions];
    double[] received = new double[trials.size()];
    for (int repetition = -WARM_UP_OF_A_STATE; repetition < repetitions; repetition++) {
      for (int trial = 0; trial < trials.size(); trial++) {
        communicator.barrier();
        long bytesBefore = communicator.receivedBytes();
        long start = System.nanoTime();
        trials.get(trial).action().run();
        seconds[trial][Math.max(0, repetition)] = (System.nanoTime() - start) / 1e9;
        received[trial] = communicator.receivedBytes() - bytesBefore;
      }
    }
    double[] greatestReceived = RankTimes.greatest(communicator, received);
    Measurement[] measured = new Measurement[trials.size()];
    for (int i = 0; i < measured.length; i++) {
      Trial trial = trials.get(i);
      measured[i] =
          new Measurement(
              trial.name(),
              shape.bytes(),
              Medians.of(RankTimes.greatest(communicator, seconds[i])),
              (long) greatestReceived[i],
              costs == null ? 0 : costs.seconds(trial.work()),
              trial.description());
    }
    return Arrays.asList(measured);
  }
}
