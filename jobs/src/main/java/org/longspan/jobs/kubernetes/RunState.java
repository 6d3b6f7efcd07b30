package org.longspan.jobs.kubernetes;

import java.util.Map;

/** How far a run is, as its operator says. */
sealed interface RunState {
  /** Not at work yet. */
  record Waiting(String phase) implements RunState {}

  /** Its driver works. */
  record Running() implements RunState {}

  record Succeeded() implements RunState {}

  /**
   * It will not succeed any more.
   *
   * @param reason the operator's words, which may be many lines
   */
  record Failed(String phase, String reason) implements RunState {}

  /** Reads the {@code status} of a resource; null where there is none yet. */
  static RunState of(Operator operator, Map<?, ?> status) {
    return switch (operator) {
      case KUBEFLOW -> kubeflow(status);
      case APACHE -> apache(status);
    };
  }

  private static RunState kubeflow(Map<?, ?> status) {
    String phase = text(status, "applicationState", "state");
    return switch (phase) {
      case "COMPLETED" -> new Succeeded();
      case "FAILED", "SUBMISSION_FAILED" ->
          new Failed(phase, text(status, "applicationState", "errorMessage"));
      case "RUNNING", "SUCCEEDING", "FAILING" -> new Running();
      default -> new Waiting(phase.isEmpty() ? "NEW" : phase);
    };
  }

  private static RunState apache(Map<?, ?> status) {
    String phase = text(status, "currentState", "currentStateSummary");
    return switch (phase) {
      case "Succeeded" -> new Succeeded();
      case "Failed",
          "SchedulingFailure",
          "DriverEvicted",
          "DriverStartTimedOut",
          "DriverReadyTimedOut",
          "ExecutorsStartTimedOut" ->
          new Failed(phase, text(status, "currentState", "message"));
      // Where the operator lets go of a run, how it went is in the state before.
      case "ResourceReleased", "TerminatedWithoutReleaseResources" -> released(status, phase);
      case "DriverReady",
          "InitializedBelowThresholdExecutors",
          "RunningHealthy",
          "RunningWithPartialCapacity",
          "RunningWithBelowThresholdExecutors" ->
          new Running();
      default -> new Waiting(phase.isEmpty() ? "New" : phase);
    };
  }

  private static RunState released(Map<?, ?> status, String phase) {
    Object history = status.get("stateTransitionHistory");
    if (history instanceof Map<?, ?> states
        && states.values().stream()
            .anyMatch(
                state ->
                    state instanceof Map<?, ?> map
                        && "Succeeded".equals(map.get("currentStateSummary")))) {
      return new Succeeded();
    }
    return new Failed(phase, text(status, "currentState", "message"));
  }

  private static String text(Map<?, ?> status, String part, String key) {
    return status != null
            && status.get(part) instanceof Map<?, ?> map
            && map.get(key) instanceof String text
        ? text
        : "";
  }
}
