package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

/** What a failed collective says of where in a step it was called. */
class FailurePlaceTest {
  private static final int VOCABULARY = 19;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Mesh MESH = new Mesh(1, 2, 1);
  private static final Pattern OF_THE_SEQUENCE =
      Pattern.compile("Rank \\d, peer \\d, channel 2, .* \\(step 1(, layer \\d)?\\)");

  /** The embedding and the head fold the gradients of their weights where bits are to be equal. */
  private static final RunConfiguration CONFIGURATION =
      RunConfiguration.parse(
          "model: {width: 8, heads: 1, layers: 2, feed-forward: 8, pattern: [lightning, local],"
              + " window: 40, convolution: 3}\nkernel: cpu\ndeterministic: true",
          "test.yaml",
          Map.of());

  @Test
  void shouldNameTheLayerInsideOfOneAndNoneInTheHeadAndTheEmbedding() {
    List<String> places = new ArrayList<>();
    Optional<String> sentence = sentence(0);
    for (int message = 1; sentence.isPresent(); message++) {
      Matcher words = OF_THE_SEQUENCE.matcher(sentence.get());
      if (words.matches()) {
        String place = words.group(1) == null ? "none" : words.group(1).substring(2);
        if (places.isEmpty() || !places.get(places.size() - 1).equals(place)) {
          places.add(place);
        }
      }
      sentence = sentence(message);
    }
    assertThat(places).containsExactly("layer 0", "layer 1", "none", "layer 1", "layer 0", "none");
  }

  /**
   * What rank 1 says where its first step ends at its message of this number, if it has so many.
   */
  private static Optional<String> sentence(int message) {
    return LocalRanks.run(
            InProcessTransport.connect(MESH.size(), LIMIT),
            sound -> {
              if (sound.rank() == 0) {
                run(sound);
                return Optional.<String>empty();
              }
              return run(new EndingTransport(sound, new AtomicLong(-message)));
            })
        .get(1);
  }

  private static Optional<String> run(Transport transport) {
    try (RankSetup setup =
        new RankSetup(
            CONFIGURATION,
            ModelShape.of(CONFIGURATION, VOCABULARY),
            MESH,
            transport,
            1,
            SmallTraining.TOKENS,
            SmallTraining.BLOCK)) {
      setup.everyone().barrier();
      if (transport instanceof EndingTransport ending) {
        ending.arm();
      }
      SliceInput slice = SmallTraining.slice(0, setup.rank().sequence(), MESH.sequence());
      new TrainingStep(setup, 1).run(List.of(() -> slice), 0);
      return Optional.empty();
    } catch (TransportException e) {
      return Optional.of(e.getMessage());
    } finally {
      transport.close();
    }
  }

  /** Once it is armed it counts messages, and fails at the one that makes the count positive. */
  private static final class EndingTransport implements Transport {
    private final Transport sound;
    private final AtomicLong count;
    private volatile boolean armed;

    EndingTransport(Transport sound, AtomicLong count) {
      this.sound = sound;
      this.count = count;
    }

    void arm() {
      armed = true;
    }

    private void count(int peer, int channel) {
      if (armed && count.incrementAndGet() > 0) {
        throw new TransportException("Rank 1, peer " + peer + ", channel " + channel + ", end");
      }
    }

    @Override
    public int rank() {
      return sound.rank();
    }

    @Override
    public int size() {
      return sound.size();
    }

    @Override
    public void send(int peer, int channel, int label, ByteBuffer payload) {
      count(peer, channel);
      sound.send(peer, channel, label, payload);
    }

    @Override
    public void receive(int peer, int channel, int label, ByteBuffer into) {
      count(peer, channel);
      sound.receive(peer, channel, label, into);
    }

    @Override
    public long receivedBytes() {
      return sound.receivedBytes();
    }

    @Override
    public void close() {
      sound.close();
    }
  }
}
