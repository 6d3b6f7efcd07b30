package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;

/**
 * Carries messages between the ranks of one attempt of one job. Messages from one peer on one
 * channel arrive in the order in which they were sent, each once; channels do not hold each other
 * up.
 *
 * <p>Threading: any thread may send and receive; at most one thread at a time receives from one
 * peer on one channel. Every receive has a time limit and ends when its thread is interrupted.
 */
public interface Transport extends AutoCloseable {
  /** This rank. */
  int rank();

  /** Ranks in the job. */
  int size();

  /**
   * Sends the payload's remaining bytes, which may be reused when this returns.
   *
   * @throws TransportException where the peer cannot be reached; its message names rank, peer and
   *     channel
   */
  void send(int peer, int channel, ByteBuffer payload);

  /**
   * Waits for the next message from {@code peer} on {@code channel}, which must fill {@code into}
   * exactly.
   *
   * @throws TransportException where none comes within the time limit, the peer is lost, the length
   *     differs, or the thread is interrupted; its message names rank, peer and channel
   */
  void receive(int peer, int channel, ByteBuffer into);

  /** Payload bytes received so far, over all peers and channels. */
  long receivedBytes();

  /**
   * Frees sockets, threads and buffers; a receive that waits ends with a {@link
   * TransportException}.
   */
  @Override
  void close();
}
