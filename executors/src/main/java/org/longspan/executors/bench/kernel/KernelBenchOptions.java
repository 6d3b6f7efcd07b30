package org.longspan.executors.bench.kernel;

import java.util.List;
import org.longspan.datapipeline.InvalidInputException;

/**
 * What to measure.
 *
 * @param width columns of a head, but for {@code latent}
 * @param window tokens that a token of {@code local} sees
 * @param repetitions of which the median counts; fewer where they take longer than some seconds
 */
public record KernelBenchOptions(
    List<BenchedKernel> kernels,
    List<KernelForm> forms,
    int tokens,
    int heads,
    int width,
    int window,
    int repetitions) {
  public KernelBenchOptions {
    if (tokens < 1 || heads < 1 || width < 1 || window < 1 || repetitions < 1) {
      throw new InvalidInputException(
          "--tokens, --heads, --width, --window and --repetitions take 1 or more, not "
              + tokens
              + ", "
              + heads
              + ", "
              + width
              + ", "
              + window
              + " and "
              + repetitions);
    }
    kernels = List.copyOf(kernels);
    forms = List.copyOf(forms);
  }
}
