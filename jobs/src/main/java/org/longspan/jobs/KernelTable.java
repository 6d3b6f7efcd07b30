package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.Locale;
import org.longspan.executors.bench.kernel.BenchedKernel;
import org.longspan.executors.bench.kernel.KernelMeasurement;
import org.longspan.executors.bench.kernel.KernelMeasurement.Measured;
import org.longspan.executors.bench.kernel.KernelMeasurement.Missing;

/** Prints what {@code bench kernels} measures: a table for each kernel, or an object a line. */
final class KernelTable {
  private final PrintStream out;
  private final boolean isJson;
  private BenchedKernel current;

  KernelTable(PrintStream out, boolean isJson) {
    this.out = out;
    this.isJson = isJson;
  }

  void add(KernelMeasurement measurement) {
    if (isJson) {
      out.println(json(measurement));
      return;
    }
    if (measurement.kernel() != current) {
      current = measurement.kernel();
      out.printf(
          Locale.ROOT,
          "%n%s%n"
              + "form           pass           ms   with transfers   TFLOP/s     GB/s"
              + "   floor ms: all, arithmetic, bytes   times the floor%n",
          current.label());
    }
    out.println(row(measurement));
  }

  private static String row(KernelMeasurement measurement) {
    if (measurement instanceof Missing missing) {
      return String.format(
          Locale.ROOT, "%-12s   not measured: %s", missing.form().label(), missing.reason());
    }
    Measured measured = (Measured) measurement;
    double seconds = measured.computing();
    return String.format(
        Locale.ROOT,
        "%-12s   %-8s %8s   %14.2f   %7.3f   %6.1f   %13.3f, %10.3f, %5.3f   %15.1f   %s, %,d tokens"
            + " of %d heads of %d and %d",
        measured.form().label(),
        measured.pass().label(),
        measured.seconds().isPresent()
            ? String.format(Locale.ROOT, "%.2f", seconds * 1e3)
            : "unknown",
        measured.secondsWithTransfers() * 1e3,
        measured.operations() / seconds / 1e12,
        measured.bytes() / seconds / 1e9,
        measured.floorSeconds() * 1e3,
        measured.operations() / measured.rates().operationsPerSecond() * 1e3,
        measured.bytes() / measured.rates().copiedBytesPerSecond() * 1e3,
        seconds / measured.floorSeconds(),
        measured.device(),
        measured.tokens(),
        measured.shape().heads(),
        measured.shape().keyWidth(),
        measured.shape().valueWidth());
  }

  static String json(KernelMeasurement measurement) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("kernel", measurement.kernel().label());
    object.put("form", measurement.form().computer());
    if (measurement instanceof Missing missing) {
      object.put("missing", missing.reason());
      return object.toString();
    }
    Measured measured = (Measured) measurement;
    object.put("pass", measured.pass().label());
    object.put("device", measured.device());
    object.put("precision", measured.form().precision());
    object.put("tokens", measured.tokens());
    object.put("heads", measured.shape().heads());
    object.put("width", measured.shape().keyWidth());
    object.put("value_width", measured.shape().valueWidth());
    if (measured.seconds().isPresent()) {
      object.put("milliseconds", measured.seconds().getAsDouble() * 1e3);
    } else {
      object.putNull("milliseconds");
    }
    object.put("milliseconds_with_transfers", measured.secondsWithTransfers() * 1e3);
    object.put("teraflops", measured.operations() / measured.computing() / 1e12);
    object.put("gigabytes_per_second", measured.bytes() / measured.computing() / 1e9);
    object.put("floor_milliseconds", measured.floorSeconds() * 1e3);
    object.put(
        "floor_arithmetic_milliseconds",
        measured.operations() / measured.rates().operationsPerSecond() * 1e3);
    object.put(
        "floor_bytes_milliseconds",
        measured.bytes() / measured.rates().copiedBytesPerSecond() * 1e3);
    object.put("times_the_floor", measured.computing() / measured.floorSeconds());
    return object.toString();
  }
}
