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
  private int breaks;

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

  /** Those who read it lose their connections. */
  synchronized void breakOff() {
    breaks++;
    notifyAll();
  }

  @Override
  public void copy(String pod, boolean toItsEnd, OutputStream to)
      throws IOException, InterruptedException {
    int before = breaks();
    for (int next = 0; awaits(next, toItsEnd, before); next++) {
      to.write((line(next) + "\n").getBytes(StandardCharsets.UTF_8));
      to.flush();
    }
  }

  /** Whether there is a line of that number, perhaps after a while. */
  private synchronized boolean awaits(int number, boolean toItsEnd, int before)
      throws InterruptedException {
    while (toItsEnd && !ended && breaks == before && number >= lines.size()) {
      wait();
    }
    return number < lines.size();
  }

  private synchronized int breaks() {
    return breaks;
  }

  private synchronized String line(int number) {
    return lines.get(number);
  }
}
