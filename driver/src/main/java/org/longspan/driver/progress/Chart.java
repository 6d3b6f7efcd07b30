package org.longspan.driver.progress;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * A line chart over the steps as an inline SVG; its colours are classes of the report's style
 * sheet.
 */
final class Chart {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 280;
  private static final int LEFT = 68;
  private static final int RIGHT = 16;
  private static final int TOP = 14;
  private static final int BOTTOM = 40;
  private static final int Y_TICKS = 5;
  private static final int X_TICKS = 8;
  private static final int MARKED_POINTS = 40;

  private final String title;
  private final String unit;
  private final List<Series> curves;
  private final Map<String, Double> references;

  /**
   * @param references horizontal lines with a name
   */
  Chart(String title, String unit, List<Series> curves, Map<String, Double> references) {
    this.title = title;
    this.unit = unit;
    this.curves = curves.stream().filter(curve -> !curve.points().isEmpty()).toList();
    this.references = references;
  }

  /** A figure with its heading, its legend and the drawing. */
  String html() {
    StringBuilder html = new StringBuilder();
    html.append("<figure>\n<figcaption><h2>").append(Html.escape(title)).append("</h2>");
    html.append("<span class=\"unit\">").append(Html.escape(unit)).append("</span>");
    if (curves.size() > 1) {
      curves.forEach(curve -> legend(html, curve.style(), curve.name()));
    }
    html.append("</figcaption>\n");
    double[] values = values();
    if (values.length == 0) {
      html.append("<p class=\"none\">No step is done yet.</p>\n");
    } else {
      draw(html, values);
    }
    return html.append("</figure>\n").toString();
  }

  private double[] values() {
    return curves.stream()
        .flatMap(curve -> curve.points().stream())
        .mapToDouble(Series.Point::y)
        .filter(Double::isFinite)
        .toArray();
  }

  private void draw(StringBuilder html, double[] values) {
    double[] shown =
        DoubleStream.concat(
                DoubleStream.of(values),
                references.values().stream().mapToDouble(Double::doubleValue))
            .sorted()
            .toArray();
    Axis y = Axis.over(shown[0], shown[shown.length - 1], Y_TICKS);
    double[] steps =
        curves.stream()
            .flatMap(curve -> curve.points().stream())
            .mapToDouble(Series.Point::x)
            .sorted()
            .toArray();
    Axis x = Axis.over(0, Math.max(X_TICKS, steps[steps.length - 1]), X_TICKS);
    html.append(
        String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s over the steps\">%n",
            WIDTH,
            HEIGHT,
            Html.escape(title)));
    axes(html, x, y);
    references.forEach((name, value) -> reference(html, name, y, value));
    curves.forEach(curve -> curve(html, curve, x, y));
    html.append("</svg>\n");
  }

  private static void axes(StringBuilder html, Axis x, Axis y) {
    for (double tick : y.ticks()) {
      horizontal(html, "grid", y, tick);
      text(html, LEFT - 8, down(y, tick) + 4, "end", y.label(tick));
    }
    for (double tick : x.ticks()) {
      text(html, across(x, tick), HEIGHT - BOTTOM + 18, "middle", x.label(tick));
    }
    text(html, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4, "middle", "step");
  }

  private static void curve(StringBuilder html, Series curve, Axis x, Axis y) {
    List<Series.Point> points = curve.thinned().points();
    List<List<Series.Point>> runs = new ArrayList<>();
    boolean gap = true;
    for (Series.Point point : points) {
      if (Double.isFinite(point.y())) {
        if (gap) {
          runs.add(new ArrayList<>());
        }
        runs.get(runs.size() - 1).add(point);
      }
      gap = !Double.isFinite(point.y());
    }
    for (List<Series.Point> run : runs) {
      html.append("<polyline class=\"").append(curve.style()).append("\" points=\"");
      run.forEach(
          point ->
              html.append(
                  String.format(
                      Locale.ROOT, "%.1f,%.1f ", across(x, point.x()), down(y, point.y()))));
      html.append("\"/>\n");
    }
    if (points.size() <= MARKED_POINTS) {
      runs.stream().flatMap(List::stream).forEach(point -> mark(html, curve, point, x, y));
    }
  }

  private static void mark(StringBuilder html, Series curve, Series.Point point, Axis x, Axis y) {
    html.append(
        String.format(
            Locale.ROOT,
            "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">"
                + "<title>%s at step %.0f: %s</title></circle>%n",
            curve.style(),
            across(x, point.x()),
            down(y, point.y()),
            Html.escape(curve.name()),
            point.x(),
            number(point.y())));
  }

  private static void reference(StringBuilder html, String name, Axis y, double value) {
    horizontal(html, "reference", y, value);
    text(html, WIDTH - RIGHT, down(y, value) - 5, "end", name + " " + number(value));
  }

  private static void horizontal(StringBuilder html, String style, Axis y, double value) {
    html.append(
        String.format(
            Locale.ROOT,
            "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>%n",
            style,
            LEFT,
            WIDTH - RIGHT,
            down(y, value),
            down(y, value)));
  }

  private static void text(StringBuilder html, double x, double y, String anchor, String text) {
    html.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
            x,
            y,
            anchor,
            Html.escape(text)));
  }

  private static void legend(StringBuilder html, String style, String name) {
    html.append("<span class=\"legend\"><svg viewBox=\"0 0 22 8\"><line class=\"")
        .append(style)
        .append("\" x1=\"0\" x2=\"22\" y1=\"4\" y2=\"4\"/></svg>")
        .append(Html.escape(name))
        .append("</span>");
  }

  static String number(double value) {
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e6)) {
      return String.format(Locale.ROOT, "%.3g", value);
    }
    return String.format(Locale.ROOT, size >= 1000 ? "%,.0f" : "%.4f", value);
  }

  private static double across(Axis x, double value) {
    return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
  }

  private static double down(Axis y, double value) {
    return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
  }
}
