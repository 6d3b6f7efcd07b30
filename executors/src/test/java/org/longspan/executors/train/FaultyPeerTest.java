package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.FaultyTransport;
import org.longspan.parallelism.transport.FaultyTransport.Fault;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

/** A rank that dies, stalls or lies in the middle of training ends every rank, by name. */
class FaultyPeerTest {
  private static final int RANKS = 3;
  private static final int FAULTY = 1;
  private static final int THREADS = 2;
  private static final int VOCABULARY = 19;
  private static final Duration LIMIT = Duration.ofSeconds(6);
  private static final Duration MARGIN = Duration.ofSeconds(40);

  /** Classes are loaded and compiled outside of the time limit. */
  @BeforeAll
  static void trainWithoutAFault() {
    assertThat(
            LocalRanks.run(
                NetworkTransport.loopback(RANKS, MARGIN, Protection.ENCRYPTED),
                sound -> train(sound, null)))
        .allSatisfy(end -> assertThat(end).endsWith("saw nothing"));
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void shouldEndEveryRankInTimeAndNamePeerCollectiveStepAndLayer(Fault fault)
      throws InterruptedException {
    List<String> ends =
        assertTimeoutPreemptively(
            LIMIT.multipliedBy(4).plus(MARGIN),
            () ->
                LocalRanks.run(
                    NetworkTransport.loopback(RANKS, LIMIT, Protection.ENCRYPTED),
                    sound -> train(sound, fault)));
    assertThat(ends).hasSize(RANKS);
    for (int rank = 0; rank < RANKS; rank++) {
      assertThat(ends.get(rank)).matches(sentence(rank));
    }
    assertThat(threadsLeft()).isEmpty();
  }

  /** Both layers exchange something in the forward and in the backward: no rank gets past them. */
  private static String sentence(int rank) {
    return "(The communicator of rank \\d on channel 2 failed in an earlier collective: )?"
        + ("Rank " + rank + ", peer [0-2], channel 2\\b.*")
        + "\\b(scan-(chain|log) (for|back)ward|halo (for|back)ward) \\d+.*"
        + " \\(step 2, layer [01]\\)";
  }

  /** Threads of ranks, when there has been time for them to end. */
  private static List<String> threadsLeft() throws InterruptedException {
    long deadline = System.nanoTime() + MARGIN.toNanos();
    List<String> names = threadsOfRanks();
    while (!names.isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(50);
      names = threadsOfRanks();
    }
    return names;
  }

  private static List<String> threadsOfRanks() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("longspan"))
        .toList();
  }

  /** Trains until something is wrong; gives what was said then. */
  private static String train(Transport sound, Fault fault) {
    RunConfiguration configuration =
        RunConfiguration.parse(
            "model: {width: 16, heads: 2, layers: 2, feed-forward: 24, pattern: [lightning, local],"
                + " window: 40, convolution: 3}\nkernel: cpu",
            "test.yaml",
            Map.of());
    FaultyTransport transport =
        fault != null && sound.rank() == FAULTY ? FaultyTransport.over(sound, fault) : null;
    Mesh mesh = new Mesh(1, RANKS, 1);
    try (RankSetup setup =
        new RankSetup(
            configuration,
            ModelShape.of(configuration, VOCABULARY),
            mesh,
            transport == null ? sound : transport,
            THREADS,
            SmallTraining.TOKENS,
            SmallTraining.BLOCK)) {
      TrainingStep step = new TrainingStep(setup, 1);
      Supplier<SliceInput> slice =
          () -> SmallTraining.slice(0, setup.rank().sequence(), mesh.sequence());
      step.run(List.of(slice), 0);
      setup.everyone().barrier();
      if (transport != null) {
        transport.arm();
      }
      step.run(List.of(slice), 1);
      return "Rank " + sound.rank() + " saw nothing";
    } catch (TransportException e) {
      return e.getMessage();
    } finally {
      sound.close();
    }
  }
}
