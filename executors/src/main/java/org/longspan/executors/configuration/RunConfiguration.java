package org.longspan.executors.configuration;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A value for every option of a run. Immutable; it has been checked, each value and how they go
 * together.
 */
public final class RunConfiguration implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final RunConfiguration DEFAULTS = new RunConfiguration(defaultValues());

  /** Key to value, every option of {@link Options#all}, in that order. */
  private final Map<String, Object> values;

  private RunConfiguration(Map<String, Object> values) {
    this.values = values;
  }

  /** Every option at its default. */
  public static RunConfiguration defaults() {
    return DEFAULTS;
  }

  /**
   * Reads a YAML file.
   *
   * @param overrides key to value as written, which go before the file's
   * @throws InvalidInputException where the file cannot be read, or as {@link #parse} says
   */
  public static RunConfiguration load(Path file, Map<String, String> overrides) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(
          "The configuration " + file + (Files.exists(file) ? " is not a file." : " is missing."));
    }
    try {
      return parse(Files.readString(file), file.toString(), overrides);
    } catch (CharacterCodingException notText) {
      throw new InvalidInputException(
          "The configuration " + file + " is not text in UTF-8.", notText);
    } catch (IOException unreadable) {
      throw new InvalidInputException(
          "The configuration " + file + " cannot be read: " + unreadable.getMessage(), unreadable);
    }
  }

  /**
   * Reads YAML, whose keys may be nested ({@code model: {width: 96}}) or dotted ({@code
   * model.width: 96}).
   *
   * @param fileName what messages call it
   * @param overrides key to value as written, which go before the text's
   * @throws InvalidInputException for an unknown key, a value that its option does not take, values
   *     that do not go together, or a text without any
   */
  public static RunConfiguration parse(
      String yaml, String fileName, Map<String, String> overrides) {
    Map<String, Object> values = defaultValues();
    YamlText.read(yaml, fileName).forEach((key, text) -> put(values, key, text, fileName));
    overrides.forEach((key, text) -> put(values, key, text, "the command line"));
    RunConfiguration configuration = new RunConfiguration(values);
    Consistency.check(configuration);
    return configuration;
  }

  private static void put(Map<String, Object> values, String key, String text, String source) {
    values.put(key, KnownKeys.find(key, source).parse(text, source));
  }

  private static Map<String, Object> defaultValues() {
    Map<String, Object> values = new LinkedHashMap<>();
    Options.all().forEach(option -> values.put(option.key(), option.defaultValue()));
    return values;
  }

  public <T> T get(Option<T> option) {
    return option.cast(values.get(option.key()));
  }

  /**
   * The value of a text that has no default.
   *
   * @throws InvalidInputException where none was given
   */
  public String required(Option<String> option) {
    String value = get(option);
    if (value.isEmpty()) {
      throw new InvalidInputException(
          option.key() + " is not set; give it in the configuration or with --set.");
    }
    return value;
  }

  /** This configuration with another value for one option. */
  public <T> RunConfiguration with(Option<T> option, T value) {
    Map<String, Object> changed = new LinkedHashMap<>(values);
    changed.put(option.key(), option.checked(value, "the configuration"));
    RunConfiguration configuration = new RunConfiguration(changed);
    Consistency.check(configuration);
    return configuration;
  }

  /** Key to value: numbers, booleans, texts and lists of texts, for reports. */
  public Map<String, Object> toMap() {
    Map<String, Object> plain = new LinkedHashMap<>();
    values.forEach((key, value) -> plain.put(key, plain(value)));
    return Collections.unmodifiableMap(plain);
  }

  private static Object plain(Object value) {
    if (value instanceof Enum<?> constant) {
      return Option.name(constant);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(RunConfiguration::plain).toList();
    }
    return value;
  }

  /** YAML with every option, which {@link #parse} reads back to the same configuration. */
  public String toYaml() {
    return YamlText.write(toMap());
  }

  /** SHA-256 of all keys and values, in hexadecimal: equal for equal configurations only. */
  public String hash() {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(toYaml().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RunConfiguration that && values.equals(that.values);
  }

  @Override
  public int hashCode() {
    // By the text, since an enum's own hash differs from one JVM to the next.
    return toYaml().hashCode();
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
