package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.longspan.parallelism.transport.MessageLabel;

/**
 * Times messages between the neighbours of a ring, on each link for itself, for as long as they
 * still get faster: the first ones run code that is not compiled yet, the training does not.
 */
final class LinkProbe {
  private static final int SMALL_BYTES = 8;
  private static final int LARGE_BYTES = 1 << 20;
  private static final int SMALL_ROUNDS = 50;
  private static final int LARGE_ROUNDS = 4;
  private static final int MOST_BATCHES = 40;
  private static final int STEADY_BATCHES = 3;
  private static final double FASTER = 0.95;
  private static final byte MORE_FOLLOW = 1;
  private static final byte LAST = 0;
  private static final double SHORTEST_SECONDS = 1e-9;

  private final Communicator communicator;
  private final ByteBuffer message = ByteBuffer.allocateDirect(LARGE_BYTES);
  private double small = SHORTEST_SECONDS;
  private double large = SHORTEST_SECONDS;

  LinkProbe(Communicator communicator) {
    this.communicator = communicator;
  }

  LinkQuality worst() {
    communicator.run(MessageLabel.Kind.LINK_MEASUREMENT, this::probeLinks);
    ByteBuffer own = ByteBuffer.allocate(2 * Double.BYTES).order(ByteOrder.nativeOrder());
    own.putDouble(0, small).putDouble(Double.BYTES, large);
    ByteBuffer all =
        ByteBuffer.allocate(communicator.size() * own.capacity()).order(ByteOrder.nativeOrder());
    communicator.allGather(own, all);
    double latency = 0;
    double longest = 0;
    for (int rank = 0; rank < communicator.size(); rank++) {
      latency = Math.max(latency, all.getDouble(rank * own.capacity()));
      longest = Math.max(longest, all.getDouble(rank * own.capacity() + Double.BYTES));
    }
    return new LinkQuality(latency, LARGE_BYTES / Math.max(longest - latency, SHORTEST_SECONDS));
  }

  /** Links without a rank in common at once: every other one, and a ring of odd length's last. */
  private void probeLinks(PeerMessages messages) {
    int size = messages.size();
    int left = messages.neighbour(-1);
    int right = messages.neighbour(1);
    for (int turn = 0; turn < 3; turn++) {
      if (turn(messages.index(), size) == turn) {
        small = best(messages, right, SMALL_BYTES, SMALL_ROUNDS);
        large = best(messages, right, LARGE_BYTES, LARGE_ROUNDS);
      }
      if (turn(left, size) == turn) {
        answer(messages, left, SMALL_BYTES);
        answer(messages, left, LARGE_BYTES);
      }
    }
  }

  /** When the link from {@code rank} to the one after it is probed. */
  private static int turn(int rank, int size) {
    return rank == size - 1 && size % 2 == 1 ? 2 : rank % 2;
  }

  /**
   * The shortest time of one way, in seconds. Batches of {@code rounds} go to and fro until some in
   * a row are hardly faster than those before.
   */
  private double best(PeerMessages messages, int peer, int bytes, int rounds) {
    message.limit(bytes);
    long shortest = Long.MAX_VALUE;
    int steady = 0;
    for (int batch = 0; batch < MOST_BATCHES && steady < STEADY_BATCHES; batch++) {
      long before = shortest;
      for (int round = 0; round < rounds; round++) {
        shortest = Math.min(shortest, toAndFro(messages, peer, MORE_FOLLOW));
      }
      steady = shortest < FASTER * before ? 0 : steady + 1;
    }
    toAndFro(messages, peer, LAST);
    return Math.max(SHORTEST_SECONDS, shortest / 2e9);
  }

  private long toAndFro(PeerMessages messages, int peer, byte mark) {
    message.put(0, mark);
    long start = System.nanoTime();
    messages.send(peer, message);
    messages.receive(peer, message);
    return System.nanoTime() - start;
  }

  private void answer(PeerMessages messages, int peer, int bytes) {
    message.limit(bytes);
    do {
      messages.receive(peer, message);
      messages.send(peer, message);
    } while (message.get(0) == MORE_FOLLOW);
  }
}
