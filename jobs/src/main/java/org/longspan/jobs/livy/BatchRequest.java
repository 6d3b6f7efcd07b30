package org.longspan.jobs.livy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/**
 * What Livy is asked to run.
 *
 * @param file the application jar, where Livy and Spark's driver can read it
 * @param name unlike any other batch's
 * @param settings Spark's, key → value
 */
public record BatchRequest(
    String file,
    String className,
    String name,
    List<String> arguments,
    Map<String, String> settings) {

  /** The object that Livy is sent. */
  public String json() {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("file", file);
    node.put("className", className);
    node.put("name", name);
    arguments.forEach(node.putArray("args")::add);
    settings.forEach(node.putObject("conf")::put);
    return node.toString();
  }
}
