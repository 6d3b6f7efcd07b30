package org.longspan.executors.bench.process;

/**
 * A line that a rank's process writes for its parent. Other lines on its standard output are
 * libraries' chatter.
 *
 * @param text one line
 */
record ParentLine(Kind kind, String text) {
  private static final String MARK = "longspan-rank ";

  /** What a line says. */
  enum Kind {
    /** On which port the rank listens. */
    PORT,
    /** A line of the rank's result. */
    RESULT,
    /** Why the rank failed. */
    FAILURE,
    /** The rank has done its work. */
    DONE
  }

  /** As it is written. */
  String written() {
    return MARK + kind + " " + text.replaceAll("\\s*\\R\\s*", " ");
  }

  /** What was written, or null for chatter. */
  static ParentLine read(String line) {
    if (!line.startsWith(MARK)) {
      return null;
    }
    String words = line.substring(MARK.length());
    int space = words.indexOf(' ');
    return new ParentLine(Kind.valueOf(words.substring(0, space)), words.substring(space + 1));
  }
}
