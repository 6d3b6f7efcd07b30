package org.longspan.executors.bench.kernel;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.opencl.OpenClDevices;

/** Measures attention's kernels, each alone, on random numbers. */
public final class KernelBench {
  private static final int WARM_UPS = 20;
  private static final double WARM_UP_SECONDS = 1;
  private static final double MOST_SECONDS = 3;

  private final KernelBenchOptions options;
  private final Workers workers;
  private final Map<KernelForm, ComputeRates> rates = new EnumMap<>(KernelForm.class);

  private KernelBench(KernelBenchOptions options, Workers workers) {
    this.options = options;
    this.workers = workers;
  }

  /** Measures, and gives each result as soon as it is there. */
  public static void run(KernelBenchOptions options, Consumer<KernelMeasurement> results) {
    try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      KernelBench bench = new KernelBench(options, workers);
      for (BenchedKernel kernel : options.kernels()) {
        for (KernelForm form : options.forms()) {
          bench.measure(kernel, form, results);
        }
      }
    }
  }

  private void measure(BenchedKernel kernel, KernelForm form, Consumer<KernelMeasurement> results) {
    if (form != KernelForm.CPU && OpenClDevices.all().isEmpty()) {
      results.accept(
          new KernelMeasurement.Missing(kernel, form, "there is no OpenCL device on this machine"));
      return;
    }
    try (KernelCase work = KernelCase.of(kernel, form, options, workers)) {
      // Where a kernel has no such form yet, another one stands in, and says so.
      if (!work.description().startsWith(form.computer())) {
        results.accept(
            new KernelMeasurement.Missing(
                kernel, form, "there is no such form of it yet, it runs on " + work.description()));
        return;
      }
      Map<KernelPass, Double> whole = new EnumMap<>(KernelPass.class);
      for (KernelPass pass : KernelPass.values()) {
        warmUp(pass, work);
        whole.put(pass, seconds(() -> wallSeconds(() -> work.run(pass))));
      }
      // Last, since kernels whose launches are timed are launched twice from then on.
      for (KernelPass pass : KernelPass.values()) {
        results.accept(measure(kernel, form, pass, work, whole.get(pass)));
      }
    } catch (InvalidInputException refused) {
      results.accept(new KernelMeasurement.Missing(kernel, form, refused.getMessage()));
    }
  }

  private KernelMeasurement measure(
      BenchedKernel kernel,
      KernelForm form,
      KernelPass pass,
      KernelCase work,
      double withTransfers) {
    OptionalDouble alone =
        switch (form) {
          case CPU -> OptionalDouble.of(withTransfers);
          case APARAPI, APARAPI_BF16 ->
              work.canTellKernels()
                  ? OptionalDouble.of(seconds(() -> work.kernelSeconds(pass)))
                  : OptionalDouble.empty();
        };
    AttentionShape shape = work.shape();
    return new KernelMeasurement.Measured(
        kernel,
        pass,
        form,
        work.description(),
        shape,
        options.tokens(),
        alone,
        withTransfers,
        kernel.operations(pass, shape, options.tokens(), options.window()),
        kernel.bytes(pass, shape, options.tokens(), form.numberBytes()),
        rates.computeIfAbsent(form, this::probe));
  }

  /** Until compilers, of Java and of devices, are done. */
  private static void warmUp(KernelPass pass, KernelCase work) {
    double total = 0;
    for (int i = 0; i < WARM_UPS && total < WARM_UP_SECONDS; i++) {
      total += wallSeconds(() -> work.run(pass));
    }
  }

  private interface Seconds {
    double measure();
  }

  /** The median of some repetitions. */
  private double seconds(Seconds measurement) {
    double[] all = new double[options.repetitions()];
    double total = 0;
    int count = 0;
    while (count < all.length && total < MOST_SECONDS) {
      all[count] = measurement.measure();
      total += all[count];
      count++;
    }
    return Medians.of(Arrays.copyOf(all, count));
  }

  private static double wallSeconds(Runnable work) {
    long before = System.nanoTime();
    work.run();
    return (System.nanoTime() - before) / 1e9;
  }

  private ComputeRates probe(KernelForm form) {
    return switch (form) {
      case CPU -> ProcessorProbe.of(workers);
      case APARAPI, APARAPI_BF16 -> {
        OpenCLDevice device = OpenClDevices.best().orElseThrow();
        ComputeRates measured = DeviceProbe.of(device).compute();
        // A processor does through OpenCL no more than it does without.
        yield device.getType() == Device.TYPE.CPU
            ? measured.orBetter(ProcessorProbe.of(workers))
            : measured;
      }
    };
  }
}
