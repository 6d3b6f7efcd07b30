package org.longspan.executors.configuration;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How the values of a kind of option are read and written.
 *
 * @param description what it takes, in words
 * @param reader the value, or a {@link NumberFormatException}, or nothing where there is none
 */
record ValueType<T>(
    String description, Function<String, Optional<T>> reader, Function<T, String> writer) {
  static final ValueType<Integer> INTEGER =
      new ValueType<>(
          "a whole number", text -> Optional.of(Integer.valueOf(text)), String::valueOf);
  static final ValueType<Long> LONG_INTEGER =
      new ValueType<>("a whole number", text -> Optional.of(Long.valueOf(text)), String::valueOf);
  static final ValueType<Double> NUMBER =
      new ValueType<>(
          "a number",
          text -> Optional.of(Double.valueOf(text)).filter(Double::isFinite),
          String::valueOf);
  static final ValueType<String> TEXT = new ValueType<>("text", Optional::of, text -> text);
  static final ValueType<Boolean> FLAG =
      new ValueType<>(
          "`true` or `false`",
          text ->
              text.equals("true") || text.equals("false")
                  ? Optional.of(text.equals("true"))
                  : Optional.empty(),
          String::valueOf);

  static <E extends Enum<E>> ValueType<E> choice(Class<E> constants) {
    return new ValueType<>(alternatives(constants), text -> find(constants, text), Option::name);
  }

  static <E extends Enum<E>> ValueType<List<E>> list(Class<E> constants) {
    return new ValueType<>(
        "a list of " + alternatives(constants),
        text -> findAll(constants, text),
        value -> value.stream().map(Option::name).collect(Collectors.joining(", ")));
  }

  Optional<T> parse(String text) {
    try {
      return reader.apply(text);
    } catch (NumberFormatException notNumber) {
      return Optional.empty();
    }
  }

  String format(T value) {
    return writer.apply(value);
  }

  private static <E extends Enum<E>> Optional<E> find(Class<E> constants, String text) {
    return Arrays.stream(constants.getEnumConstants())
        .filter(constant -> Option.name(constant).equals(text))
        .findFirst();
  }

  private static <E extends Enum<E>> Optional<List<E>> findAll(Class<E> constants, String text) {
    List<Optional<E>> found =
        Arrays.stream(text.replaceAll("^\\[|\\]$", "").split(",", -1))
            .map(name -> find(constants, name.strip()))
            .toList();
    return found.stream().allMatch(Optional::isPresent)
        ? Optional.of(found.stream().map(Optional::orElseThrow).toList())
        : Optional.empty();
  }

  private static <E extends Enum<E>> String alternatives(Class<E> constants) {
    List<String> names = Option.names(constants).stream().map(name -> "`" + name + "`").toList();
    int last = names.size() - 1;
    return last == 0
        ? names.get(0)
        : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }
}
