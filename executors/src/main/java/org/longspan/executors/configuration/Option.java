package org.longspan.executors.configuration;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.longspan.datapipeline.InvalidInputException;

/**
 * One option of a run: its key, default, meaning, and the values that it takes. Immutable; every
 * method that refines it returns a new one.
 *
 * @param <T> the value's type, which is serializable and immutable
 */
public final class Option<T> {
  private final String key;
  private final T defaultValue;
  private final String description;
  private final ValueType<T> type;
  private final Range range;

  private Option(String key, T defaultValue, String description, ValueType<T> type, Range range) {
    this.key = key;
    this.defaultValue = defaultValue;
    this.description = description;
    this.type = type;
    this.range = range;
  }

  /** A whole number of 32 bits. */
  public static Option<Integer> integer(String key, int defaultValue) {
    return option(key, defaultValue, ValueType.INTEGER);
  }

  /** A whole number of 64 bits. */
  public static Option<Long> longInteger(String key, long defaultValue) {
    return option(key, defaultValue, ValueType.LONG_INTEGER);
  }

  /** A finite number. */
  public static Option<Double> number(String key, double defaultValue) {
    return option(key, defaultValue, ValueType.NUMBER);
  }

  /** Any text. */
  public static Option<String> text(String key, String defaultValue) {
    return option(key, defaultValue, ValueType.TEXT);
  }

  /** {@code true} or {@code false}. */
  public static Option<Boolean> flag(String key, boolean defaultValue) {
    return option(key, defaultValue, ValueType.FLAG);
  }

  /** One of the constants of the default's enum, written in small letters. */
  public static <E extends Enum<E>> Option<E> choice(String key, E defaultValue) {
    return option(key, defaultValue, ValueType.choice(defaultValue.getDeclaringClass()));
  }

  /** One or more of an enum's constants, in order, each as often as wanted. */
  public static <E extends Enum<E>> Option<List<E>> list(
      String key, Class<E> elements, List<E> defaultValue) {
    return option(key, List.copyOf(defaultValue), ValueType.list(elements));
  }

  private static <T> Option<T> option(String key, T defaultValue, ValueType<T> type) {
    return new Option<>(key, Objects.requireNonNull(defaultValue), "", type, Range.ANY);
  }

  /** The option with this meaning: a sentence without its end, for the reference. */
  public Option<T> describedAs(String meaning) {
    return new Option<>(key, defaultValue, meaning, type, range);
  }

  /** The option, a number, that takes only {@code minimum} and more. */
  public Option<T> atLeast(double minimum) {
    return new Option<>(key, defaultValue, description, type, range.atLeast(minimum));
  }

  /** The option, a number, that takes only {@code maximum} and less. */
  public Option<T> atMost(double maximum) {
    return new Option<>(key, defaultValue, description, type, range.atMost(maximum));
  }

  /** The option, a number, that takes only more than {@code limit}. */
  public Option<T> above(double limit) {
    return new Option<>(key, defaultValue, description, type, range.above(limit));
  }

  /** Its name in a file and on the command line, with dots: {@code model.width}. */
  public String key() {
    return key;
  }

  public T defaultValue() {
    return defaultValue;
  }

  public String description() {
    return description;
  }

  /** The values that it takes, in words. */
  public String values() {
    return type.description() + range;
  }

  /** The value as a user writes it. */
  public String format(T value) {
    return type.format(value);
  }

  /**
   * Reads a value as a user writes it.
   *
   * @param source where it stands, for the message
   * @throws InvalidInputException where it is none that the option takes
   */
  T parse(String text, String source) {
    T value =
        type.parse(text.strip())
            .orElseThrow(() -> new InvalidInputException(refusal("'" + text + "'", source)));
    return checked(value, source);
  }

  /** The value as it is, where it lies in the range. */
  T checked(T value, String source) {
    if (value instanceof Number number && !range.contains(number.doubleValue())) {
      throw new InvalidInputException(refusal(format(value), source));
    }
    return value;
  }

  /** One sentence that says why {@code found} is not taken. */
  String refusal(String found, String source) {
    return String.format("%s in %s is %s; it takes %s.", key, source, found, values());
  }

  /** The value of a map of values, which only ever holds what this option gave. */
  @SuppressWarnings("unchecked")
  T cast(Object value) {
    return (T) value;
  }

  @Override
  public String toString() {
    return key;
  }

  /** An enum's constant as a user writes it. */
  static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static <E extends Enum<E>> List<String> names(Class<E> constants) {
    return Arrays.stream(constants.getEnumConstants()).map(Option::name).toList();
  }
}
