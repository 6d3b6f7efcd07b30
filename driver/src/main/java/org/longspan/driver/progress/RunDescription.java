package org.longspan.driver.progress;

import java.util.Map;
import org.longspan.parallelism.mesh.Mesh;

/**
 * What is known of a run before it starts, for its first lines and its report. The maps keep the
 * order that they are given in.
 *
 * @param output the run's folder
 * @param data in words, such as where it lies and how long its sequences are
 * @param steps of the whole run
 * @param configuration key → value
 * @param references losses in nats to draw beside the curves, such as the text's bigram entropy
 * @param software name → version
 */
public record RunDescription(
    String output,
    String data,
    Mesh mesh,
    long steps,
    Map<String, String> configuration,
    Map<String, Double> references,
    Map<String, String> software) {

  String meshWords() {
    return mesh.data()
        + " data × "
        + mesh.sequence()
        + " sequence × "
        + mesh.tensor()
        + " tensor = "
        + mesh.size()
        + (mesh.size() == 1 ? " rank" : " ranks");
  }
}
