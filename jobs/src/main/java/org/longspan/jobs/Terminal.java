package org.longspan.jobs;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Where a command writes what its user should read.
 *
 * @param out standard output
 * @param rewritable whether a person watches, so that a line may be rewritten
 */
record Terminal(PrintStream out, boolean rewritable) {

  /** The process's own; {@code bin/longspan} says whether it is a terminal. */
  static Terminal standard() {
    boolean terminal = System.getenv("LONGSPAN_TERMINAL") != null;
    return new Terminal(System.out, terminal);
  }

  void line(String format, Object... values) {
    out.println(String.format(Locale.ROOT, format, values));
  }
}
