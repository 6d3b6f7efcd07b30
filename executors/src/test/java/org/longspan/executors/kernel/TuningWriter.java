package org.longspan.executors.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A process that keeps times in a tuning file while others do. */
final class TuningWriter {
  static final int TIMES = 40;

  private TuningWriter() {}

  static TuningKey key(String process, int number) {
    return new TuningKey("a device", "a driver", process + " " + number);
  }

  public static void main(String[] arguments) throws IOException {
    TuningFile file = new TuningFile(Path.of(arguments[0]));
    for (int i = 0; i < TIMES; i++) {
      file.write(key(arguments[1], i), Map.of("tiles", 1.0 + i, "rows", 2.0 + i));
    }
  }
}
