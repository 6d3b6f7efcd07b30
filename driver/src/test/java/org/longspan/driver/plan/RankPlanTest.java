package org.longspan.driver.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.longspan.parallelism.mesh.Mesh;

class RankPlanTest {
  @Test
  void shouldNotShowItsSecret() {
    RankPlan plan = new RankPlan("run", "hush", new Mesh(1, 2, 1), Duration.ofSeconds(3));

    assertThat(plan).hasToString("RankPlan[run=run, mesh=" + plan.mesh() + ", timeLimit=PT3S]");
  }
}
