package org.longspan.executors.opencl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Whether Java keeps its signal handlers whatever an OpenCL driver does.
 *
 * <p>Java finds null references and brings threads to a stop by memory faults, which it handles. A
 * driver that compiles with LLVM, as PoCL does, puts LLVM's handlers in their place as soon as
 * devices are listed. Those take themselves out at the first fault and let Java's in again, and a
 * thread with a fault in between ends the process without a word. The JDK's own {@code libjsig},
 * preloaded, hands to Java what a library would have put in its place.
 */
public final class JavaSignals {
  /**
   * Set as the environment variable LD_PRELOAD of whatever starts Java: beside the Java started.
   */
  public static final String BESIDE_JAVA = "$ORIGIN/../lib/libjsig.so";

  private static final String LIBRARY = "/libjsig.so";

  private JavaSignals() {}

  /** Whether the library is in this process. */
  public static boolean kept() {
    return OfThisProcess.KEPT;
  }

  /** Read once: a library is preloaded or it is not. */
  private static final class OfThisProcess {
    static final boolean KEPT = kept(Path.of("/proc/self/maps"));
  }

  /**
   * Whether the library is in a process.
   *
   * @param maps what the kernel lists as its mapped files; where there is no such list nothing is
   *     known to be kept
   */
  static boolean kept(Path maps) {
    try (Stream<String> files = Files.lines(maps)) {
      return files.anyMatch(file -> file.endsWith(LIBRARY));
    } catch (IOException noList) {
      return false;
    }
  }
}
