package org.longspan.jobs.livy;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A batch as Livy shows it.
 *
 * @param id Livy's number for it, which another batch has after Livy was started anew
 * @param name the one that it was submitted under; empty where it was given none
 * @param applicationId Spark's name for it; empty where Livy does not know it
 */
record Batch(int id, String name, String applicationId, BatchState state) {

  static Batch of(JsonNode node) {
    return new Batch(
        node.path("id").asInt(-1),
        node.path("name").asText(""),
        node.path("appId").asText(""),
        BatchState.of(node.path("state").asText("")));
  }
}
