package org.longspan.jobs;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;

/**
 * Where users read what went wrong. {@code bin/longspan} sends Java's own standard error through a
 * filter, which may still be writing when Java has ended, and leaves the real one open under the
 * number in {@code LONGSPAN_ERRORS}.
 */
final class ErrorStream {
  private ErrorStream() {}

  /** Makes the real standard error {@code System.err} again. */
  static PrintStream restore() {
    String number = System.getenv("LONGSPAN_ERRORS");
    if (number != null) {
      try {
        FileOutputStream real = new FileOutputStream(open(Integer.parseInt(number)));
        System.setErr(new PrintStream(real, true, StandardCharsets.UTF_8));
      } catch (ReflectiveOperationException | RuntimeException noWayToOpenIt) {
        return System.err;
      }
    }
    return System.err;
  }

  /** By reflection: to open it by name would give a file a second position to write at. */
  private static FileDescriptor open(int number) throws ReflectiveOperationException {
    FileDescriptor descriptor = new FileDescriptor();
    Field field = FileDescriptor.class.getDeclaredField("fd");
    field.setAccessible(true);
    field.setInt(descriptor, number);
    return descriptor;
  }
}
