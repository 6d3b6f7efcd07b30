package org.longspan.driver.plan;

import java.time.Duration;
import java.util.Objects;
import org.longspan.parallelism.mesh.Mesh;

/**
 * How a program is run.
 *
 * @param mesh one rank for each of its places
 * @param fingerprint what must be equal on every rank
 * @param timeLimit how long a rank waits for a message of another
 * @param attempts attempts in a row, without a checkpoint in between, after which the run fails
 */
public record LaunchPlan(Mesh mesh, Fingerprint fingerprint, Duration timeLimit, int attempts) {
  /** How long a rank waits for another unless a plan says otherwise. */
  public static final Duration DEFAULT_TIME_LIMIT = Duration.ofMinutes(2);

  private static final int DEFAULT_ATTEMPTS = 4;

  public LaunchPlan {
    Objects.requireNonNull(mesh);
    Objects.requireNonNull(fingerprint);
    if (timeLimit.isNegative() || timeLimit.isZero()) {
      throw new IllegalArgumentException("A time limit of " + timeLimit);
    }
    if (attempts < 1) {
      throw new IllegalArgumentException(attempts + " attempts");
    }
  }

  /** A plan with a time limit of two minutes and four attempts. */
  public static LaunchPlan of(Mesh mesh, Fingerprint fingerprint) {
    return new LaunchPlan(mesh, fingerprint, DEFAULT_TIME_LIMIT, DEFAULT_ATTEMPTS);
  }

  public LaunchPlan withTimeLimit(Duration limit) {
    return new LaunchPlan(mesh, fingerprint, limit, attempts);
  }

  public LaunchPlan withAttempts(int number) {
    return new LaunchPlan(mesh, fingerprint, timeLimit, number);
  }
}
