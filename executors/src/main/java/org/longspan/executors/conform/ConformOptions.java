package org.longspan.executors.conform;

import java.nio.file.Path;
import java.util.Locale;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;

/**
 * What to run.
 *
 * @param ranks that the tokens are cut over
 * @param scan how the state travels; of no matter to the local mixer
 * @param chunk tokens of a chunk, and of a block of the grid on which tokens are cut
 */
public record ConformOptions(
    MixerKind mixer,
    int ranks,
    int chunk,
    KernelChoice kernel,
    Precision precision,
    TransportKind transport,
    ScanChoice scan,
    Path input,
    Path output) {

  /** Tokens of a chunk where nothing else is asked for. */
  public static final int CHUNK = 64;

  public ConformOptions {
    if (ranks < 1) {
      throw new InvalidInputException("--ranks is " + ranks + "; it takes 1 or more.");
    }
    if (chunk < 1) {
      throw new InvalidInputException("--chunk is " + chunk + "; it takes 1 or more.");
    }
    if (!mixer.runsOnDevices() && kernel == KernelChoice.APARAPI) {
      throw new InvalidInputException(
          "--kernel aparapi has no form of the "
              + mixer.name().toLowerCase(Locale.ROOT).replace('_', '-')
              + " mixer yet; use --kernel cpu.");
    }
  }
}
