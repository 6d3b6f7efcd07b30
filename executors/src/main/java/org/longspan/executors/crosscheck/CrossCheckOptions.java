package org.longspan.executors.crosscheck;

import java.nio.file.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.memory.Precision;

/**
 * What to run.
 *
 * @param checkpoint its folder, or a run's
 * @param data the dataset's folder
 * @param ranks that the sequence is cut over
 * @param tokens taken from the start of the validation split's first sequence, at most
 * @param output where the result goes, safetensors
 */
public record CrossCheckOptions(
    String checkpoint,
    String data,
    int ranks,
    int tokens,
    KernelChoice kernel,
    Precision precision,
    Path output) {

  /** Tokens where nothing else is asked for: what a naive model can hold in double. */
  public static final int TOKENS = 2048;

  public CrossCheckOptions {
    if (ranks < 1) {
      throw new InvalidInputException("--ranks is " + ranks + "; it takes 1 or more.");
    }
    if (tokens < 2) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 2 or more.");
    }
    if (kernel.needsDevice() && precision == Precision.DOUBLE) {
      throw new InvalidInputException(
          "--kernel aparapi computes in float; use --kernel cpu or --precision float.");
    }
  }
}
