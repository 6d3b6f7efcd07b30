package org.longspan.executors.bench.process;

import java.time.Duration;
import org.longspan.parallelism.transport.Protection;

/**
 * How many processes there are, and what each may take.
 *
 * @param heapMebibytes greatest heap of each
 * @param directMebibytes what each may take outside of its heap
 * @param timeLimit longest wait of a rank for another, and of the parent until every rank listens
 * @param protection of the connections between them
 */
public record ProcessSettings(
    int ranks, int heapMebibytes, int directMebibytes, Duration timeLimit, Protection protection) {
  public ProcessSettings {
    if (ranks < 1) {
      throw new IllegalArgumentException(ranks + " ranks");
    }
    if (heapMebibytes < 1 || directMebibytes < 1) {
      throw new IllegalArgumentException(
          "A rank with " + heapMebibytes + " MiB of heap and " + directMebibytes + " MiB outside");
    }
  }
}
