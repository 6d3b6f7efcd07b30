package org.longspan.executors.train;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.longspan.parallelism.transport.Transport;

/** A transport on which every message takes longer. */
record SlowTransport(Transport sound, Duration delay) implements Transport {
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
    try {
      Thread.sleep(delay.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    sound.send(peer, channel, label, payload);
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
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
