package org.longspan.driver.progress;

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
    StringBuilder html = new StringBuilder("<section><h2>" + escape(title) + "</h2>\n<table>\n");
    rows.forEach(
        (name, value) ->
            html.append("<tr><th>")
                .append(escape(name))
                .append("</th><td>")
                .append(escape(value))
                .append("</td></tr>\n"));
    return html.append("</table></section>\n").toString();
  }
}
