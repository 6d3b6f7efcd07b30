package org.longspan.jobs.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** An operator's own schema of its resource, in which a field that it does not list is an error. */
final class CrdSchema {
  static final String FOLDER = "LONGSPAN_CRDS";

  private final JsonSchema schema;

  private CrdSchema(JsonSchema schema) {
    this.schema = schema;
  }

  /** The definition's file of an operator. */
  static Path file(Operator operator) {
    return Path.of(
        System.getenv(FOLDER),
        operator.name().toLowerCase(Locale.ROOT) + "-sparkapplications.yaml");
  }

  static CrdSchema of(Operator operator) throws IOException {
    JsonNode definition =
        new ObjectMapper(new YAMLFactory()).readTree(Files.readString(file(operator)));
    for (JsonNode version : definition.at("/spec/versions")) {
      if (version.get("name").asText().equals(operator.version())) {
        JsonNode node = version.at("/schema/openAPIV3Schema/properties/spec");
        close(node);
        return new CrdSchema(JsonSchemaFactory.getInstance(VersionFlag.V7).getSchema(node));
      }
    }
    throw new IllegalStateException("No version " + operator.version() + " in " + file(operator));
  }

  /** What is wrong with a manifest's specification; nothing where it is right. */
  List<String> errors(Map<String, Object> manifest) {
    return schema.validate(new ObjectMapper().valueToTree(manifest.get("spec"))).stream()
        .map(ValidationMessage::getMessage)
        .sorted()
        .toList();
  }

  private static void close(JsonNode node) {
    if (node instanceof ObjectNode object
        && object.path("properties").isObject()
        && !object.has("additionalProperties")
        && !object.path("x-kubernetes-preserve-unknown-fields").asBoolean()) {
      object.put("additionalProperties", false);
    }
    node.forEach(CrdSchema::close);
  }
}
