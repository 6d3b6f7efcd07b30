package org.longspan.driver.progress;

import java.util.List;
import java.util.Map;

/** Pieces of the report's page. */
final class Html {
  private Html() {}

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  /** A heading and a table of names and values. */
  static String table(String title, Map<String, String> rows) {
    return table(title, List.copyOf(rows.entrySet()));
  }

  /** Likewise, where names may come more than once. */
  static String table(String title, List<Map.Entry<String, String>> rows) {
    StringBuilder html = new StringBuilder("<section><h2>" + escape(title) + "</h2>\n<table>\n");
    rows.forEach(
        row ->
            html.append("<tr><th>")
                .append(escape(row.getKey()))
                .append("</th><td>")
                .append(escape(row.getValue()))
                .append("</td></tr>\n"));
    return html.append("</table></section>\n").toString();
  }
}
