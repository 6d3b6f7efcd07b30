package org.longspan.driver.plan;

import java.time.Duration;
import java.util.Objects;
import org.longspan.parallelism.mesh.Mesh;

/**
 * What every rank of a run is told before it starts.
 *
 * @param run its name, of its own
 * @param secret what lets a rank in among the others; it is never shown
 * @param mesh one rank for each of its places
 * @param timeLimit how long a rank waits for a message of another
 */
public record RankPlan(String run, String secret, Mesh mesh, Duration timeLimit) {
  public RankPlan {
    Objects.requireNonNull(run);
    Objects.requireNonNull(secret);
    Objects.requireNonNull(mesh);
    Objects.requireNonNull(timeLimit);
  }

  @Override
  public String toString() {
    return "RankPlan[run=" + run + ", mesh=" + mesh + ", timeLimit=" + timeLimit + "]";
  }
}
