package org.longspan.jobs;

import java.util.List;
import java.util.concurrent.Callable;
import org.longspan.executors.bench.kernel.BenchedKernel;
import org.longspan.executors.bench.kernel.KernelBench;
import org.longspan.executors.bench.kernel.KernelBenchOptions;
import org.longspan.executors.bench.kernel.KernelForm;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures attention's kernels. */
@Command(
    name = "kernels",
    description =
        "Each attention kernel, forward and backward, on an OpenCL device and on the processor,"
            + " beside the time that the device's arithmetic and memory need at least.")
final class BenchKernelsCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--kernels",
      converter = Choice.OfBenchedKernel.class,
      split = ",",
      paramLabel = "NAME,NAME",
      defaultValue = "lightning,simple-gla,gla,gated-delta,local,latent",
      description = "Which kernels (default: ${DEFAULT-VALUE}).")
  private List<BenchedKernel> kernels;

  @Option(
      names = "--form",
      converter = Choice.OfKernelForm.class,
      split = ",",
      paramLabel = "NAME,NAME",
      defaultValue = "aparapi,cpu",
      description =
          "aparapi, on the GPU or else any OpenCL device, aparapi-bf16, there with numbers kept in 16"
              + " bits, or cpu (default: ${DEFAULT-VALUE}).")
  private List<KernelForm> forms;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "2048",
      description = "Tokens of the slice (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--heads",
      paramLabel = "N",
      defaultValue = "4",
      description = "Heads (default: ${DEFAULT-VALUE}).")
  private int heads;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Columns of a head; latent has keys of 192 and values of 128 (default:"
              + " ${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--window",
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens that a token of local sees (default: ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "5",
      description =
          "Repetitions, of which the median counts; fewer where they take more than three seconds"
              + " (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Override
  public Integer call() {
    KernelTable table = new KernelTable(Terminal.standard().out(), output.isJson());
    KernelBench.run(
        new KernelBenchOptions(kernels, forms, tokens, heads, width, window, repetitions),
        table::add);
    return 0;
  }
}
