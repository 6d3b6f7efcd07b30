package org.longspan.driver.progress;

import java.util.ArrayList;
import java.util.List;

/**
 * One curve of a chart.
 *
 * @param style its class in the report's style sheet
 */
record Series(String name, String style, List<Point> points) {
  private static final int MOST_POINTS = 800;

  /** One value; {@code y} may be NaN, where the curve has a gap. */
  record Point(double x, double y) {}

  /** As many points as can be seen, each the mean of its neighbours. */
  Series thinned() {
    int bucket = (points.size() + MOST_POINTS - 1) / MOST_POINTS;
    if (bucket <= 1) {
      return this;
    }
    List<Point> means = new ArrayList<>();
    for (int start = 0; start < points.size(); start += bucket) {
      List<Point> part = points.subList(start, Math.min(points.size(), start + bucket));
      means.add(
          new Point(
              part.stream().mapToDouble(Point::x).average().orElseThrow(),
              part.stream().mapToDouble(Point::y).average().orElseThrow()));
    }
    return new Series(name, style, means);
  }
}
