package org.longspan.jobs.kubernetes;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One log, which a test writes, to all who ask for a pod's. Thread-safe. */
final class WrittenLog implements LogKubelet.Log {
  private final List<String> lines = new ArrayList<>();
  private boolean ended;

  /** The container writes a line. */
  synchronized void write(String line) {
    lines.add(line);
    notifyAll();
  }

  /** The container ends, and with it its log. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  @Override
  public void copy(String pod, boolean toItsEnd, OutputStream to)
      throws IOException, InterruptedException {
    for (int next = 0; awaits(next, toItsEnd); next++) {
      to.write((line(next) + "\n").getBytes(StandardCharsets.UTF_8));
      to.flush();
    }
  }

  /** Whether there is a line of that number, perhaps after a while. */
  private synchronized boolean awaits(int number, boolean toItsEnd) throws InterruptedException {
    while (toItsEnd && !ended && number >= lines.size()) {
      wait();
    }
    return number < lines.size();
  }

  private synchronized String line(int number) {
    return lines.get(number);
  }
}
