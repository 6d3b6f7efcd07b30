package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.Transport;

/**
 * The test of the comparison in {@link SequenceParallelTest}: what goes wrong between ranks must
 * show, in the loss or in a gradient, far above the limit that the comparison allows.
 */
class SequenceParallelMutationTest {
  private static final int VOCABULARY = 13;
  private static final int TOKENS = 128;
  private static final double LIMIT_IN_FLOAT = 1e-5;

  /** What is done to a message of doubles that a rank receives. */
  enum Fault {
    DROPPED {
      @Override
      void apply(ByteBuffer numbers) {
        while (numbers.hasRemaining()) {
          numbers.putDouble(0);
        }
      }
    },
    DOUBLED {
      @Override
      void apply(ByteBuffer numbers) {
        scale(numbers, 2);
      }
    },
    // What a decay that is off by one token does to a state, of a head that decays by 0.0039 a
    // token.
    DECAYED_ONCE_MORE {
      @Override
      void apply(ByteBuffer numbers) {
        scale(numbers, Math.exp(-0.0039));
      }
    },
    HALVES_SWAPPED {
      @Override
      void apply(ByteBuffer numbers) {
        int half = numbers.remaining() / 16;
        for (int i = 0; i < half; i++) {
          double first = numbers.getDouble(8 * i);
          numbers.putDouble(8 * i, numbers.getDouble(8 * (i + half)));
          numbers.putDouble(8 * (i + half), first);
        }
      }
    };

    abstract void apply(ByteBuffer numbers);

    private static void scale(ByteBuffer numbers, double factor) {
      for (int at = 0; at < numbers.limit(); at += Double.BYTES) {
        numbers.putDouble(at, factor * numbers.getDouble(at));
      }
    }
  }

  /** Passes everything on; the states and halos that arrive are damaged. */
  private record Damaging(Transport sound, Fault fault) implements Transport {
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
      sound.send(peer, channel, label, payload);
    }

    @Override
    public void receive(int peer, int channel, int label, ByteBuffer into) {
      sound.receive(peer, channel, label, into);
      String what = MessageLabel.words(label);
      if (!what.startsWith("scan") && !what.startsWith("halo")) {
        return;
      }
      fault.apply(into.slice().order(ByteOrder.nativeOrder()));
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

  /**
   * The greatest relative error of any parameter's gradient, on four ranks over {@code network}
   * against one rank.
   */
  private static double worst(
      String pattern, String window, String convolution, UnaryOperator<Transport> network) {
    RunConfiguration configuration =
        Ranks.configuration(
            "model.width",
            "16",
            "model.heads",
            "2",
            "model.layers",
            "2",
            "model.feed-forward",
            "12",
            "model.pattern",
            pattern,
            "model.window",
            window,
            "model.convolution",
            convolution,
            "precision",
            "double",
            "kernel",
            "cpu");
    int[] sequence = Ranks.sequence(TOKENS, VOCABULARY, 1);
    int[] documents = {0};
    Ranks.Outcome one =
        new Ranks(configuration, VOCABULARY, 16).lossAndGradients(1, sequence, documents);
    Ranks.Outcome many =
        new Ranks(configuration, VOCABULARY, 16, network).lossAndGradients(4, sequence, documents);
    return one.gradients().keySet().stream()
        .mapToDouble(
            name -> Ranks.relativeError(many.gradients().get(name), one.gradients().get(name)))
        .max()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void shouldSeeADamagedState(Fault fault) {
    for (String pattern : List.of("[lightning]", "[simple-gla]", "[gla]", "[gated-delta]")) {
      assertThat(worst(pattern, "40", "0", sound -> new Damaging(sound, fault)))
          .as(pattern)
          .isGreaterThan(10 * LIMIT_IN_FLOAT);
    }
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void shouldSeeADamagedWindow(Fault fault) {
    assertThat(worst("[local]", "40", "0", sound -> new Damaging(sound, fault)))
        .isGreaterThan(10 * LIMIT_IN_FLOAT);
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void shouldSeeADamagedConvolution(Fault fault) {
    // Only the convolution's rows travel: a window of one token has no halo.
    assertThat(worst("[local]", "1", "4", sound -> new Damaging(sound, fault)))
        .isGreaterThan(10 * LIMIT_IN_FLOAT);
  }

  @ParameterizedTest
  @CsvSource({
    "[lightning], 0",
    "[local], 0",
    "'[lightning, local]', 4",
    "[simple-gla], 0",
    "[gla], 0",
    "[gated-delta], 0"
  })
  void shouldSeeNothingWhereNothingIsDamaged(String pattern, String convolution) {
    assertThat(worst(pattern, "40", convolution, UnaryOperator.identity())).isLessThan(1e-12);
  }
}
