package org.longspan.parallelism.transport;

/**
 * One channel to one peer as a rank sees it; words its errors. Its label says what is being sent or
 * received; 0 says nothing.
 */
record Route(int rank, int peer, int channel, int label) {
  /** The channel, whatever goes over it. */
  Route(int rank, int peer, int channel) {
    this(rank, peer, channel, 0);
  }

  /** The same channel, for one message. */
  Route labelled(int messageLabel) {
    return new Route(rank, peer, channel, messageLabel);
  }

  TransportException failure(String sentence) {
    return new TransportException(words(sentence));
  }

  TransportException failure(String sentence, Throwable cause) {
    return new TransportException(words(sentence), cause);
  }

  /** Sets the interrupt flag again. */
  TransportException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return failure("interrupted while waiting", cause);
  }

  private String words(String sentence) {
    String part = label == 0 ? "" : ", " + MessageLabel.words(label);
    return "Rank " + rank + ", peer " + peer + ", channel " + channel + part + ": " + sentence;
  }

  /** Refuses a peer that is not one of the other ranks. */
  static void checkPeer(int rank, int peer, int size) {
    if (peer < 0 || peer >= size || peer == rank) {
      throw new IllegalArgumentException(
          "Rank " + rank + " of " + size + " has no peer of number " + peer);
    }
  }
}
