package org.longspan.jobs.kubernetes;

import java.util.LinkedHashMap;
import java.util.Map;

/** Objects of a manifest, whose keys stay in the order in which they were given. */
final class Tree {
  private Tree() {}

  /** Key, value, key, value; an empty {@link java.util.Optional} leaves its key out. */
  static Map<String, Object> of(Object... keysAndValues) {
    Map<String, Object> tree = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      Object value = keysAndValues[i + 1];
      if (value instanceof java.util.Optional<?> perhaps) {
        if (perhaps.isEmpty()) {
          continue;
        }
        value = perhaps.get();
      }
      tree.put((String) keysAndValues[i], value);
    }
    return tree;
  }
}
