package org.longspan.executors.bench.process;

import java.util.List;
import java.util.function.Consumer;
import org.longspan.parallelism.transport.Transport;

/**
 * What a rank does that is a process of its own. An implementation is public and has a public
 * constructor without parameters.
 */
public interface RankBody {
  /**
   * Does the rank's work; an exception fails all ranks.
   *
   * @param transport to the other ranks, connected; closed by the caller
   * @param arguments the same on every rank
   * @param results takes the lines that the parent gets from this rank, in their order
   */
  void run(Transport transport, List<String> arguments, Consumer<String> results) throws Exception;
}
