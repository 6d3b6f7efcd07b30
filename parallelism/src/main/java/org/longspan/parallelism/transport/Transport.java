package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;

/**
 * Carries messages between the ranks of one attempt of one job. Messages from one peer on one
 * channel arrive in the order in which they were sent, each once; channels do not hold each other
 * up. No rank sends to itself.
 *
 * <p>Memory: what was sent and not yet received is held, up to {@link #WINDOW_BYTES} for each peer
 * and channel; beyond that a send waits for the receiver. Ranks that all send first and receive
 * afterwards therefore cut what they exchange into pieces smaller than the window.
 *
 * <p>Threading: any thread may send and receive; at most one thread at a time receives from one
 * peer on one channel. Every send and every receive ends within a time limit, counted from its
 * start however many bytes move meanwhile, and when its thread is interrupted; the thread's
 * interrupt flag is then set.
 */
public interface Transport extends AutoCloseable {
  /** Bytes that may be under way from one rank to another on one channel before a send waits. */
  int WINDOW_BYTES = 8 << 20;

  /** This rank. */
  int rank();

  /** Ranks in the job. */
  int size();

  /**
   * Sends the payload's remaining bytes, which may be reused when this returns. The payload's
   * position does not move.
   *
   * @param label what the receiver must expect; see {@link MessageLabel}
   * @throws TransportException where the peer cannot be reached, does not take enough within the
   *     time limit or refuses what it got, or the thread is interrupted; its message names rank,
   *     peer, channel and label
   */
  void send(int peer, int channel, int label, ByteBuffer payload);

  /**
   * Waits for the next message from {@code peer} on {@code channel}, which must fill the remaining
   * bytes of {@code into} exactly. The position of {@code into} does not move. What a peer sent
   * before it was lost can still be received.
   *
   * @param label what the sender must have said; see {@link MessageLabel}
   * @throws TransportException where not all of it comes within the time limit, the peer is lost or
   *     refused, the label or the length differs, or the thread is interrupted; its message names
   *     rank, peer, channel and label
   */
  void receive(int peer, int channel, int label, ByteBuffer into);

  /** Payload bytes received so far, over all peers and channels. */
  long receivedBytes();

  /**
   * Frees sockets, threads and buffers; a send or receive that waits ends with a {@link
   * TransportException}. What was sent before still goes out.
   */
  @Override
  void close();
}
