package org.longspan.executors.configuration;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.longspan.datapipeline.InvalidInputException;

/** YAML to dotted keys with values as written, and back. */
final class YamlText {
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** How the parser begins where a line fits none of the open groups. */
  private static final String UNFINISHED_BLOCK = "expected <block end>";

  private YamlText() {}

  static Map<String, String> read(String yaml, String fileName) {
    JsonNode root = parse(yaml, fileName);
    if (root.isMissingNode() || root.isNull()) {
      throw new InvalidInputException(
          fileName + " is empty; a configuration has at least one key, such as data.path.");
    }
    if (!root.isObject()) {
      throw new InvalidInputException(
          fileName + " is not a configuration; it needs lines such as model.width: 256.");
    }
    Map<String, String> texts = new LinkedHashMap<>();
    flatten("", root, texts, fileName);
    return texts;
  }

  private static JsonNode parse(String yaml, String fileName) {
    try {
      return MAPPER.readTree(yaml);
    } catch (MismatchedInputException another) {
      throw new InvalidInputException(
          fileName + " holds more than one document; a configuration is one.", another);
    } catch (JsonProcessingException malformed) {
      JsonLocation place = malformed.getLocation();
      throw new InvalidInputException(
          String.format(
              "%s is not YAML%s: %s",
              fileName,
              place == null ? "" : " at line " + place.getLineNr(),
              problem(malformed.getOriginalMessage())),
          malformed);
    }
  }

  /** The parser says what it was reading, then what it found; places stand on indented lines. */
  private static String problem(String message) {
    String problem =
        message
            .lines()
            .filter(line -> !line.startsWith(" "))
            .reduce((first, last) -> last)
            .orElse("");
    return problem.startsWith(UNFINISHED_BLOCK)
        ? "the indentation is not that of the lines before."
        : problem;
  }

  private static void flatten(
      String prefix, JsonNode group, Map<String, String> texts, String fileName) {
    for (Map.Entry<String, JsonNode> entry : group.properties()) {
      String key = prefix + entry.getKey();
      JsonNode value = entry.getValue();
      if (value.isObject()) {
        flatten(key + ".", value, texts, fileName);
      } else if (texts.put(key, text(key, value, fileName)) != null) {
        throw new InvalidInputException(key + " is given twice in " + fileName + ".");
      }
    }
  }

  private static String text(String key, JsonNode value, String fileName) {
    if (value.isNull()) {
      throw new InvalidInputException(
          KnownKeys.find(key, fileName).refusal("without a value", fileName));
    }
    return value.isArray()
        ? StreamSupport.stream(value.spliterator(), false)
            .map(JsonNode::asText)
            .collect(Collectors.joining(", ", "[", "]"))
        : value.asText();
  }

  /** YAML with the keys nested by their first part. */
  static String write(Map<String, Object> values) {
    Map<String, Object> nested = new LinkedHashMap<>();
    values.forEach(
        (key, value) -> {
          int dot = key.indexOf('.');
          if (dot < 0) {
            nested.put(key, value);
          } else {
            group(nested, key.substring(0, dot)).put(key.substring(dot + 1), value);
          }
        });
    try {
      return MAPPER.writeValueAsString(nested);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> group(Map<String, Object> nested, String name) {
    return (Map<String, Object>) nested.computeIfAbsent(name, any -> new LinkedHashMap<>());
  }
}
