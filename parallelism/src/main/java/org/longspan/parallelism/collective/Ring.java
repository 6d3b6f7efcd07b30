package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/** Collectives in which each rank sends to the next one and receives from the one before. */
final class Ring {
  private Ring() {}

  /** Each rank comes to hold the sum of its own part; the others hold sums of some ranks. */
  static void reduceScatter(PeerMessages messages, Parts parts, ElementType type) {
    for (int step = 1; step < messages.size(); step++) {
      messages.exchangeAndAdd(
          messages.neighbour(1),
          parts.of(messages.neighbour(-step)),
          messages.neighbour(-1),
          parts.of(messages.neighbour(-step - 1)),
          type);
    }
  }

  /** Passes the parts round, of which each rank holds its own. */
  static void allGather(PeerMessages messages, Parts parts) {
    for (int step = 0; step < messages.size() - 1; step++) {
      messages.exchange(
          messages.neighbour(1),
          parts.of(messages.neighbour(-step)),
          messages.neighbour(-1),
          parts.of(messages.neighbour(-step - 1)));
    }
  }

  /** Passes bytes on from {@code root}, segment by segment, to the rank before it. */
  static void broadcast(PeerMessages messages, ByteBuffer bytes, int root) {
    int distance = Math.floorMod(messages.index() - root, messages.size());
    for (int number = 0; number < PeerMessages.segments(bytes); number++) {
      ByteBuffer segment = PeerMessages.segment(bytes, number);
      if (distance > 0) {
        messages.receive(messages.neighbour(-1), segment);
      }
      if (distance < messages.size() - 1) {
        messages.send(messages.neighbour(1), segment);
      }
    }
  }

  /** In round d each rank gives to the one d places on and takes from the one d places before. */
  static void allToAll(PeerMessages messages, Parts given, Parts taken) {
    Buffers.copy(given.of(messages.index()), taken.of(messages.index()));
    for (int distance = 1; distance < messages.size(); distance++) {
      int to = messages.neighbour(distance);
      int from = messages.neighbour(-distance);
      messages.exchange(to, given.of(to), from, taken.of(from));
    }
  }

  /** In {@code ⌈log₂P⌉} rounds each rank comes to know of all. */
  static void barrier(PeerMessages messages) {
    for (int distance = 1; distance < messages.size(); distance *= 2) {
      messages.send(messages.neighbour(distance), Buffers.NOTHING);
      messages.receive(messages.neighbour(-distance), Buffers.NOTHING);
    }
  }
}
