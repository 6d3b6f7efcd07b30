package org.longspan.driver.progress;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * A line of {@code run.jsonl}. A failed attempt is known by its first key, all others are steps.
 */
sealed interface LogEntry permits StepRecord, FailedAttempt {
  /** Reads and writes them. */
  ObjectMapper JSON = new ObjectMapper();

  /** The object on one line, without its line end. */
  String json();

  /**
   * Reads a line.
   *
   * @throws JsonProcessingException if the line is no such object, perhaps because it was cut short
   */
  static LogEntry parse(String line) throws JsonProcessingException {
    JsonNode node = JSON.readTree(line);
    return node.has(FailedAttempt.ATTEMPT) ? FailedAttempt.of(node) : StepRecord.of(node);
  }
}
