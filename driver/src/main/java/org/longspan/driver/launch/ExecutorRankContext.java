package org.longspan.driver.launch;

import org.apache.hadoop.conf.Configuration;
import org.longspan.executors.train.RankContext;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.Transport;

/** What a rank in a Spark task is given. */
record ExecutorRankContext(
    Mesh mesh,
    Transport transport,
    int attempt,
    int threads,
    Configuration hadoop,
    DriverLink driver)
    implements RankContext {
  @Override
  public void report(RankEvent event) {
    driver.tell(event);
  }
}
