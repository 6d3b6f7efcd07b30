package org.longspan.executors.train;

import org.apache.hadoop.conf.Configuration;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.Transport;

/**
 * What a rank is given to work with. The giver owns it all and closes the transport after the
 * program.
 */
public interface RankContext {
  Mesh mesh();

  /** Connected to every other rank. */
  Transport transport();

  /** 0 at first; higher after a rank was lost. */
  int attempt();

  /** Threads that this rank may keep busy. */
  int threads();

  Configuration hadoop();

  /** Tells the driver; never blocks for it. */
  void report(RankEvent event);
}
