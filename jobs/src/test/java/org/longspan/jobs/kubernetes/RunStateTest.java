package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunStateTest {
  @ParameterizedTest
  @EnumSource
  void shouldWaitWhereThereIsNoStatusYet(Operator operator) {
    assertThat(RunState.of(operator, null)).isInstanceOf(RunState.Waiting.class);
  }

  @Test
  void shouldReadKubeflowsStates() {
    assertThat(kubeflow("SUBMITTED", "")).isEqualTo(new RunState.Waiting("SUBMITTED"));
    assertThat(kubeflow("RUNNING", "")).isEqualTo(new RunState.Running());
    assertThat(kubeflow("COMPLETED", "")).isEqualTo(new RunState.Succeeded());
    assertThat(kubeflow("FAILED", "driver died"))
        .isEqualTo(new RunState.Failed("FAILED", "driver died"));
    assertThat(kubeflow("SUBMISSION_FAILED", "no such class"))
        .isEqualTo(new RunState.Failed("SUBMISSION_FAILED", "no such class"));
  }

  @Test
  void shouldReadApachesStates() {
    assertThat(apache("DriverRequested")).isEqualTo(new RunState.Waiting("DriverRequested"));
    assertThat(apache("RunningHealthy")).isEqualTo(new RunState.Running());
    assertThat(apache("Succeeded")).isEqualTo(new RunState.Succeeded());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Failed",
        "SchedulingFailure",
        "DriverEvicted",
        "DriverStartTimedOut",
        "ExecutorsStartTimedOut",
        "ResourceReleased"
      })
  void shouldTakeApachesOtherEndsForFailures(String state) {
    assertThat(apache(state)).isEqualTo(new RunState.Failed(state, "why"));
  }

  @Test
  void shouldRememberASuccessWhoseResourcesApacheReleased() {
    assertThat(
            RunState.of(
                Operator.APACHE,
                Map.of(
                    "currentState",
                    Map.of("currentStateSummary", "ResourceReleased"),
                    "stateTransitionHistory",
                    Map.of(
                        "4",
                        Map.of("currentStateSummary", "Succeeded"),
                        "5",
                        Map.of("currentStateSummary", "ResourceReleased")))))
        .isEqualTo(new RunState.Succeeded());
  }

  private static RunState kubeflow(String state, String message) {
    return RunState.of(
        Operator.KUBEFLOW,
        Map.of("applicationState", Map.of("state", state, "errorMessage", message)));
  }

  private static RunState apache(String state) {
    return RunState.of(
        Operator.APACHE,
        Map.of("currentState", Map.of("currentStateSummary", state, "message", "why")));
  }
}
