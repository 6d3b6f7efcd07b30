package org.longspan.jobs;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.driver.launch.SparkSettings;
import org.longspan.driver.plan.ResourcePlan;

/** The {@code spark-submit} command that starts a run with executors of the planned size. */
final class SubmitLine {
  /** The driver coordinates, draws the report, and holds no tensors. */
  private static final String DRIVER_MEMORY = "2g";

  private static final String LOG = "-Dlog4j2.configurationFile=longspan-log4j2.properties";
  private static final String MAIN = "org.longspan.jobs.Longspan";

  private final String master;
  private final ResourcePlan plan;
  private final Path application;

  SubmitLine(String master, ResourcePlan plan, Path application) {
    this.master = master;
    this.plan = plan;
    this.application = application;
  }

  /** Every word of it. */
  List<String> words(String sparkHome, List<String> arguments) {
    List<String> words = new ArrayList<>();
    words.add(sparkHome + "/bin/spark-submit");
    words.addAll(List.of("--master", master));
    words.addAll(List.of("--class", MAIN));
    words.addAll(List.of("--driver-memory", DRIVER_MEMORY));
    // Spark chooses a log before it opens the application, so the driver's class path has it too.
    words.addAll(List.of("--driver-class-path", application.toString()));
    words.addAll(List.of("--driver-java-options", LOG));
    settings(plan, master)
        .forEach((key, value) -> words.addAll(List.of("--conf", key + "=" + value)));
    words.add(application.toString());
    words.addAll(arguments);
    return words;
  }

  /**
   * For a shell, an option a line.
   *
   * @param sparkHome a path, or a variable that the shell has
   */
  String text(String sparkHome, List<String> arguments) {
    List<String> words = words(sparkHome, arguments);
    StringBuilder text = new StringBuilder(words.get(0));
    for (String word : words.subList(1, words.size())) {
      boolean option = word.startsWith("--");
      text.append(option ? " \\\n  " : " ").append(quoted(word));
    }
    return text.toString();
  }

  /** What Spark is told of a run: the executors' sizes, and what barrier stages need. */
  static Map<String, String> settings(ResourcePlan plan, String master) {
    Map<String, String> settings = new LinkedHashMap<>(plan.settings());
    settings.putAll(SparkSettings.all());
    settings.putAll(SparkSettings.ofMaster(master));
    settings.put("spark.ui.showConsoleProgress", "false");
    return settings;
  }

  private static String quoted(String word) {
    return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
