package org.longspan.driver.progress;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.executors.train.RankEvent;

/**
 * A run on one page that needs nothing beside it: figures, curves, configuration, ranks and
 * versions.
 *
 * @param seconds since the run was started, or resumed
 * @param checkpoint the newest; null without one
 */
record Report(
    RunDescription description,
    List<RankEvent.Ready> ranks,
    List<StepRecord> steps,
    List<FailedAttempt> failures,
    double seconds,
    String checkpoint) {

  void write(Configuration hadoop, Path file) throws IOException {
    FileSystem fileSystem = RunLog.plain(file.getFileSystem(hadoop));
    // Drawn before the file is opened: a page that cannot be drawn leaves the one before it.
    byte[] page = html().getBytes(StandardCharsets.UTF_8);
    try (FSDataOutputStream out = fileSystem.create(file, true)) {
      out.write(page);
    }
  }

  String html() throws IOException {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        + "<title>"
        + Html.escape(name())
        + " · Longspan</title>\n<style>\n"
        + style()
        + "</style>\n</head>\n<body>\n<header><p class=\"product\">Longspan</p><h1>"
        + Html.escape(name())
        + "</h1>\n<p class=\"path\">"
        + Html.escape(Location.shown(description.output()))
        + "</p></header>\n"
        + figures()
        + charts()
        + "<div class=\"tables\">\n"
        + Html.table("Run", run())
        + failedAttempts()
        + Html.table("Ranks", rankRows())
        + Html.table("Configuration", description.configuration())
        + Html.table("Software and machine", description.software())
        + "</div>\n</body>\n</html>\n";
  }

  private String name() {
    return new Path(description.output()).getName();
  }

  private static String style() throws IOException {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      if (in == null) {
        throw new FileNotFoundException("report.css is missing beside " + Report.class.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private String figures() {
    if (steps.isEmpty()) {
      return "";
    }
    StepRecord last = steps.get(steps.size() - 1);
    StringBuilder html = new StringBuilder("<dl class=\"figures\">\n");
    figure(html, "steps", last.step() + " of " + description.steps());
    figure(html, "loss", Chart.number(last.loss()));
    validationLoss().ifPresent(loss -> figure(html, "validation loss", Chart.number(loss)));
    figure(html, "tokens/s", String.format(Locale.ROOT, "%,.0f", meanTokensPerSecond()));
    figure(html, "tokens", String.format(Locale.ROOT, "%,d", tokens()));
    figure(html, "training time", Durations.words(stepSeconds()));
    return html.append("</dl>\n").toString();
  }

  private static void figure(StringBuilder html, String name, String value) {
    html.append("<div><dt>")
        .append(Html.escape(name))
        .append("</dt><dd>")
        .append(Html.escape(value))
        .append("</dd></div>\n");
  }

  private String charts() {
    Series validation =
        new Series(
            "validation",
            "second",
            steps.stream()
                .filter(step -> step.validationLoss().isPresent())
                .map(step -> new Series.Point(step.step(), step.validationLoss().getAsDouble()))
                .toList());
    return new Chart(
                "Loss",
                "nats a token",
                List.of(curve("training", StepRecord::loss), validation),
                description.references())
            .html()
        + "<div class=\"charts\">\n"
        + single("Speed", "tokens/s", StepRecord::tokensPerSecond)
        + single("Gradient norm", "before clipping", StepRecord::gradientNorm)
        + single("Learning rate", "", StepRecord::learningRate)
        + single("Time of a step", "seconds", StepRecord::seconds)
        + "</div>\n";
  }

  private String single(String title, String unit, ToDoubleFunction<StepRecord> value) {
    return new Chart(title, unit, List.of(curve(title, value)), Map.of()).html();
  }

  private Series curve(String name, ToDoubleFunction<StepRecord> value) {
    return new Series(
        name,
        "first",
        steps.stream()
            .map(step -> new Series.Point(step.step(), value.applyAsDouble(step)))
            .toList());
  }

  private Map<String, String> run() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("folder", Location.shown(description.output()));
    rows.put("data", description.data());
    rows.put("mesh", description.meshWords());
    rows.put("newest checkpoint", checkpoint == null ? "none yet" : Location.shown(checkpoint));
    rows.put("time since start", Durations.words(seconds));
    description
        .references()
        .forEach((name, value) -> rows.put(name, Chart.number(value) + " nats"));
    return rows;
  }

  private Map<String, String> rankRows() {
    Map<String, String> rows = new LinkedHashMap<>();
    ranks.forEach(
        rank ->
            rows.put(
                "rank " + rank.rank(),
                String.format(
                    Locale.ROOT,
                    "%s · %s, process %d, %d %s",
                    rank.kernel(),
                    rank.host(),
                    rank.process(),
                    rank.threads(),
                    rank.threads() == 1 ? "thread" : "threads")));
    return rows;
  }

  private String failedAttempts() {
    return failures.isEmpty()
        ? ""
        : Html.table(
            "Failed attempts",
            failures.stream()
                .map(
                    failure ->
                        Map.entry(
                            "attempt " + failure.attempt() + ", after step " + failure.afterStep(),
                            failure.explanation()))
                .toList());
  }

  private OptionalDouble validationLoss() {
    return steps.stream()
        .flatMapToDouble(step -> step.validationLoss().stream())
        .reduce((first, second) -> second);
  }

  private long tokens() {
    return steps.stream().mapToLong(StepRecord::tokens).sum();
  }

  private double stepSeconds() {
    return steps.stream().mapToDouble(StepRecord::seconds).sum();
  }

  private double meanTokensPerSecond() {
    return stepSeconds() > 0 ? tokens() / stepSeconds() : 0;
  }
}
