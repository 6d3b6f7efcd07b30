package org.longspan.executors.model;

import java.nio.ByteBuffer;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.Transport;

/** Passes everything on; what arrives is shown before the rank sees it, and may be changed. */
record WatchedTransport(Transport sound, Watch watch) implements Transport {
  /** Sees what arrives; on any of the rank's threads. */
  interface Watch {
    /**
     * One message has arrived.
     *
     * @param words of the message's label
     * @param message from position to limit
     */
    void arrive(int channel, String words, ByteBuffer message);
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
    watch.arrive(channel, MessageLabel.words(label), into);
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
