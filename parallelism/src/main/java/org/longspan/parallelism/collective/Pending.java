package org.longspan.parallelism.collective;

/** A collective that is under way. */
@FunctionalInterface
public interface Pending {
  /** A collective with nothing to do. */
  Pending DONE = () -> {};

  /**
   * Waits until this rank's part is done: the results are in their buffers, and every buffer may be
   * used again. May be called again.
   *
   * @throws org.longspan.parallelism.transport.TransportException where the collective failed, or
   *     the thread is interrupted, which ends the collective and its communicator
   */
  void await();
}
