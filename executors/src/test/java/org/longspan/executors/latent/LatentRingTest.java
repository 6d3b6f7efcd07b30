package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/** The next slice's latents are on their way while a rank works with those that it has. */
@Timeout(60)
class LatentRingTest {
  private static final int TOKENS = 8;
  private static final int WIDTH = 3;
  private static final List<Slice> SLICES =
      List.of(new Slice(0, TOKENS), new Slice(TOKENS, 2 * TOKENS));

  /** What one rank does with its ring. */
  private interface Turn {
    void take(LatentRing ring, Matrix own, Matrix gradient);
  }

  /**
   * The last rank needs the first one's slice, and the first one sends it only once the last one
   * works with its own: who waited for it before that work would wait for ever.
   */
  private static void run(Turn first, Turn last) {
    LocalRanks.run(
        InProcessTransport.connect(2, Duration.ofSeconds(20)),
        transport -> {
          try (Communicator sequence = Communicator.over(transport, List.of(0, 1), 1);
              Communicator tensor = Communicator.over(transport, List.of(transport.rank()), 2);
              Workers workers = new Workers(1);
              Arena arena = new Arena("of a rank", Precision.DOUBLE)) {
            LatentPlace place =
                new LatentPlace(
                    sequence,
                    tensor,
                    Numerics.of(Precision.DOUBLE),
                    workers,
                    LatentMemory.of(arena),
                    TOKENS,
                    TOKENS);
            Documents documents = Documents.one(TOKENS, (long) TOKENS * sequence.index());
            LatentPlan plan =
                LatentPlan.gathered(sequence, SLICES, documents, LatentPlan.Sharing.CONTIGUOUS);
            LatentRing ring = new LatentRing(place, plan, WIDTH);
            Matrix own = arena.matrix(TOKENS, WIDTH);
            own.put(0, 0, 5 + sequence.index());
            Matrix gradient = arena.matrix(TOKENS, WIDTH);
            gradient.zero();
            (sequence.index() == 0 ? first : last).take(ring, own, gradient);
          }
          return null;
        });
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldWorkWithItsOwnSliceBeforeTheNextHasCome() {
    CountDownLatch works = new CountDownLatch(1);
    run(
        (ring, own, gradient) -> {
          await(works);
          ring.forward(own, (slice, latents) -> {});
        },
        (ring, own, gradient) ->
            ring.forward(
                own,
                (slice, latents) -> {
                  works.countDown();
                  assertThat(latents.get(0, 0)).isEqualTo(5 + slice);
                }));
  }

  @Test
  void shouldWorkBackwardWithItsOwnSliceBeforeTheNextHasCome() {
    CountDownLatch works = new CountDownLatch(1);
    run(
        (ring, own, gradient) -> {
          await(works);
          ring.backward(own, gradient, (slice, latents, of) -> of.put(0, 0, 1));
          assertThat(gradient.get(0, 0)).as("its own part and the last rank's").isEqualTo(3);
        },
        (ring, own, gradient) ->
            ring.backward(
                own,
                gradient,
                (slice, latents, of) -> {
                  works.countDown();
                  of.put(0, 0, 2);
                }));
  }
}
