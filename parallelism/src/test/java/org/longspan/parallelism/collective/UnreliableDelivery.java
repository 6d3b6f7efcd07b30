package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.parallelism.transport.Transport;

/**
 * A transport that delivers late, twice or in another order, by a seed. What is late comes in order
 * and does not hold up the sender; what comes twice or is overtaken is one message of a given
 * number.
 */
final class UnreliableDelivery implements Transport {
  /** What goes wrong. */
  enum Fault {
    DELAY,
    DUPLICATE,
    OVERTAKE
  }

  private record Message(int peer, int channel, int label, ByteBuffer payload) {
    static Message copy(int peer, int channel, int label, ByteBuffer payload) {
      ByteBuffer bytes = ByteBuffer.allocate(payload.remaining());
      return new Message(
          peer, channel, label, bytes.put(0, payload, payload.position(), bytes.limit()));
    }

    boolean isOnLaneOf(Message other) {
      return peer == other.peer && channel == other.channel;
    }
  }

  private final Transport sound;
  private final Fault fault;
  private final int faulty;
  private final Random random;
  private final AtomicInteger sent = new AtomicInteger();
  private final ExecutorService deliverer = Executors.newSingleThreadExecutor();
  private Message held;

  /**
   * @param faulty the number of the message that comes twice or is overtaken, counted from 0; of
   *     delays without meaning
   */
  UnreliableDelivery(Transport sound, Fault fault, int faulty, long seed) {
    this.sound = sound;
    this.fault = fault;
    this.faulty = faulty;
    this.random = new Random(seed);
  }

  /** Messages that this rank has sent. */
  int sent() {
    return sent.get();
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
  public synchronized void send(int peer, int channel, int label, ByteBuffer payload) {
    boolean isFaulty = sent.getAndIncrement() == faulty;
    Message message = Message.copy(peer, channel, label, payload);
    switch (fault) {
      case DELAY -> deliverer.execute(() -> deliverLate(message));
      case DUPLICATE -> {
        deliver(message);
        if (isFaulty) {
          deliver(message);
        }
      }
      case OVERTAKE -> {
        if (isFaulty) {
          held = message;
        } else {
          deliver(message);
          if (held != null && held.isOnLaneOf(message)) {
            deliver(held);
            held = null;
          }
        }
      }
    }
  }

  private void deliverLate(Message message) {
    try {
      TimeUnit.MICROSECONDS.sleep(random.nextInt(1000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    deliver(message);
  }

  private void deliver(Message message) {
    sound.send(message.peer(), message.channel(), message.label(), message.payload());
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    sound.receive(peer, channel, label, into);
  }

  @Override
  public long receivedBytes() {
    return sound.receivedBytes();
  }

  /** What was sent before is still delivered. */
  @Override
  public void close() {
    deliverer.shutdown();
    try {
      deliverer.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    sound.close();
  }
}
