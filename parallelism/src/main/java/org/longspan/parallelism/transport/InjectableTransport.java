package org.longspan.parallelism.transport;

import java.time.Duration;

/** A transport that can be told to lie, for {@link FaultyTransport}. */
sealed interface InjectableTransport extends Transport
    permits InProcessTransport, NetworkTransport {
  /** Longest wait of a send or a receive. */
  Duration timeLimit();

  /** From now on, messages of this rank say that they are of another job. */
  void claimAnotherJob();

  /** From now on, messages of this rank say that they are of another attempt. */
  void claimAnotherAttempt();
}
