package org.longspan.executors.configuration;

/** The page that documents every option, made from their declarations. */
public final class ConfigurationReference {
  private static final String HEAD =
      """
      # Configuration of a training run

      A run is configured by a YAML file; keys may be nested (`model: {width: 96}`) or dotted (`model.width: 96`).
      `--set key=value` goes before the file. A key that is left out has its default.

      | Key | Default | Meaning | Values |
      |---|---|---|---|
      """;

  private ConfigurationReference() {}

  /** The page in Markdown. */
  public static String markdown() {
    StringBuilder page = new StringBuilder(HEAD);
    Options.all().forEach(option -> page.append(row(option)));
    return page.toString();
  }

  private static <T> String row(Option<T> option) {
    String value = option.format(option.defaultValue());
    return String.format(
        "| `%s` | %s | %s | %s |\n",
        option.key(),
        value.isEmpty() ? "" : "`" + value + "`",
        option.description(),
        option.values());
  }
}
