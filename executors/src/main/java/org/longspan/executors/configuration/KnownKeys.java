package org.longspan.executors.configuration;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.longspan.datapipeline.InvalidInputException;

/** Finds an option by its key, or says which key was meant. */
final class KnownKeys {
  private static final Map<String, Option<?>> BY_KEY =
      Options.all().stream().collect(Collectors.toMap(Option::key, Function.identity()));

  private KnownKeys() {}

  static Option<?> find(String key, String source) {
    Option<?> option = BY_KEY.get(key);
    if (option == null) {
      throw new InvalidInputException(
          String.format("Unknown key %s in %s; %s", key, source, advice(key)));
    }
    return option;
  }

  private static String advice(String key) {
    List<String> inGroup =
        Options.all().stream().map(Option::key).filter(k -> k.startsWith(key + ".")).toList();
    return inGroup.isEmpty()
        ? "the nearest known one is " + nearest(key) + "."
        : "it is a group, whose keys are " + String.join(", ", inGroup) + ".";
  }

  private static String nearest(String key) {
    return Options.all().stream()
        .map(Option::key)
        .min(Comparator.comparingInt(known -> distance(key, known)))
        .orElseThrow();
  }

  /** How far {@code key} is from a known one, or from its part behind the dot. */
  private static int distance(String key, String known) {
    String name = known.substring(known.indexOf('.') + 1);
    return Math.min(EditDistance.between(key, known), EditDistance.between(key, name));
  }
}
