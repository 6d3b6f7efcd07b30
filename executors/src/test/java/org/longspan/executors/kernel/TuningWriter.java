package org.longspan.executors.kernel;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** A process that keeps times in a tuning file while others do. */
final class TuningWriter {
  static final int TIMES = 40;

  /** What it prints when it is about to write, and waits for a line. */
  static final String READY = "ready";

  private TuningWriter() {}

  static TuningKey key(String process, int number) {
    return new TuningKey("a device", "a driver", process + " " + number);
  }

  public static void main(String[] arguments) throws IOException {
    TuningFile file = new TuningFile(Path.of(arguments[0]));
    int times = Integer.parseInt(arguments[2]);
    System.out.println(READY);
    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
    for (int i = 0; i < times; i++) {
      file.write(key(arguments[1], i), Map.of("tiles", 1.0 + i, "rows", 2.0 + i));
    }
  }
}
