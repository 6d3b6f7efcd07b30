package org.longspan.executors.model;

import java.nio.ByteBuffer;
import java.util.function.Predicate;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.Transport;

/**
 * Passes everything on; some of the messages that arrive are damaged.
 *
 * @param damaged tells by a message's words
 * @param precision of the numbers in them
 */
record DamagedTransport(
    Transport sound, Predicate<String> damaged, Damage damage, Precision precision)
    implements Transport {
  /** What is done to the numbers of a message. */
  enum Damage {
    DROPPED {
      @Override
      void apply(double[] numbers) {
        scale(numbers, 0);
      }
    },
    DOUBLED {
      @Override
      void apply(double[] numbers) {
        scale(numbers, 2);
      }
    },
    HALVES_SWAPPED {
      @Override
      void apply(double[] numbers) {
        int half = numbers.length / 2;
        double[] before = numbers.clone();
        System.arraycopy(before, half, numbers, 0, half);
        System.arraycopy(before, 0, numbers, half, half);
      }
    };

    abstract void apply(double[] numbers);

    private static void scale(double[] numbers, double factor) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] *= factor;
      }
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
    sound.send(peer, channel, label, payload);
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    sound.receive(peer, channel, label, into);
    if (damaged.test(MessageLabel.words(label))) {
      PlainNumbers.change(into, precision, damage::apply);
    }
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
