package org.longspan.driver.progress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.longspan.executors.train.RankEvent;

/**
 * What one rank said of an attempt that failed, as {@code run.jsonl} holds it.
 *
 * @param attempt counted from 1, anew where a run is resumed
 * @param afterStep the last step that was logged before it failed; 0 for none
 * @param rank who said it, or of whom it was said
 * @param sentence what went wrong
 */
public record FailedAttempt(int attempt, long afterStep, int rank, String host, String sentence)
    implements LogEntry {
  static final String ATTEMPT = "failed_attempt";

  static FailedAttempt of(RankEvent.Failed event, long afterStep) {
    return new FailedAttempt(
        event.attempt() + 1, afterStep, event.rank(), event.host(), event.sentence());
  }

  /** Which rank failed where, and why. */
  String explanation() {
    return "rank " + rank + " on " + host + ": " + sentence;
  }

  @Override
  public String json() {
    ObjectNode node = JSON.createObjectNode();
    node.put(ATTEMPT, attempt);
    node.put("after_step", afterStep);
    node.put("rank", rank);
    node.put("host", host);
    node.put("sentence", sentence);
    return node.toString();
  }

  static FailedAttempt of(JsonNode node) {
    return new FailedAttempt(
        node.path(ATTEMPT).asInt(),
        node.path("after_step").asLong(),
        node.path("rank").asInt(),
        node.path("host").asText(),
        node.path("sentence").asText());
  }
}
