package org.longspan.executors.bench.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.kernel.KernelMeasurement.Measured;
import org.longspan.executors.bench.kernel.KernelMeasurement.Missing;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.OpenClDevices;

class KernelBenchTest {

  @ParameterizedTest
  @CsvSource({"1,1", "10,1", "10,3", "10,10", "10,50"})
  void shouldCountThePairsOfAWindow(int tokens, int window) {
    double pairs = 0;
    for (int token = 0; token < tokens; token++) {
      pairs += Math.min(token + 1, window);
    }
    AttentionShape shape = new AttentionShape(3, 5, 7);
    assertThat(BenchedKernel.LOCAL.operations(KernelPass.FORWARD, shape, tokens, window))
        .isEqualTo(pairs * 3 * 2 * (5 + 7));
    assertThat(BenchedKernel.LOCAL.operations(KernelPass.BACKWARD, shape, tokens, window))
        .isEqualTo(pairs * 3 * 2 * (5 + 7 + 5 + 5 + 7));
    assertThat(BenchedKernel.LATENT.operations(KernelPass.FORWARD, shape, 10, window))
        .isEqualTo(55.0 * 3 * 2 * (5 + 7));
  }

  @Test
  void shouldTakeTheSlowerOfArithmeticAndMemoryForTheFloor() {
    ComputeRates rates = new ComputeRates(100, 10);
    assertThat(rates.floorSeconds(200, 5)).isEqualTo(2);
    assertThat(rates.floorSeconds(200, 50)).isEqualTo(5);
    assertThat(rates.orBetter(new ComputeRates(50, 20))).isEqualTo(new ComputeRates(100, 20));
  }

  @Test
  void shouldMeasureEveryKernelAndPassOnTheProcessor() {
    List<KernelMeasurement> results = run(Arrays.asList(BenchedKernel.values()), KernelForm.CPU);

    assertThat(results).hasSize(2 * BenchedKernel.values().length);
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result).isInstanceOf(Measured.class);
              Measured measured = (Measured) result;
              assertThat(measured.device()).isEqualTo("cpu");
              assertThat(measured.computing()).isPositive();
              assertThat(measured.floorSeconds()).isPositive();
            });
  }

  @Test
  void shouldSayWhatItCannotMeasure() {
    List<KernelMeasurement> results = run(List.of(BenchedKernel.LATENT), KernelForm.APARAPI);

    if (OpenClDevices.all().isEmpty()) {
      assertThat(results)
          .containsExactly(
              new Missing(
                  BenchedKernel.LATENT,
                  KernelForm.APARAPI,
                  "there is no OpenCL device on this machine"));
    } else {
      assertThat(results)
          .extracting(result -> ((Measured) result).seconds().isPresent())
          .containsExactly(true, true);
    }
  }

  @Test
  void shouldRefuseNumbersBelowOne() {
    assertThatThrownBy(() -> new KernelBenchOptions(List.of(), List.of(), 0, 1, 1, 1, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("take 1 or more, not 0, 1, 1, 1 and 1");
  }

  @Test
  void shouldCopyEveryNumberOnTheDevice() {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    int numbers = 3 * 128 * CopyKernel.NUMBERS + 5;
    try (KernelLauncher<CopyKernel> launcher =
        KernelLauncher.of(OpenClDevices.best().orElseThrow(), new CopyKernel(numbers))) {
      CopyKernel kernel = launcher.kernel();
      kernel.length = numbers;
      for (int i = 0; i < numbers; i++) {
        kernel.from[i] = i + 1;
      }
      launcher.launch(
          LaunchShape.covering((numbers + 7) / CopyKernel.NUMBERS, 128, 1),
          List.of(kernel.from),
          List.of(kernel.to));
      assertThat(kernel.to).containsExactly(kernel.from);
    }
  }

  @Test
  void shouldMultiplyAndAddOnTheDevice() {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    try (KernelLauncher<MultiplyAddKernel> launcher =
        KernelLauncher.of(OpenClDevices.best().orElseThrow(), new MultiplyAddKernel(128))) {
      MultiplyAddKernel kernel = launcher.kernel();
      kernel.steps = 100;
      launcher.launch(new LaunchShape(1, 128, 1), List.of(kernel.factors), List.of(kernel.results));
      double expected = 5 * 0.001;
      for (int step = 0; step < 100; step++) {
        expected = expected * 0.999 + 0.001;
      }
      assertThat(kernel.results[127 * MultiplyAddKernel.SUMS + 5])
          .isCloseTo((float) expected, within(1e-5f));
    }
  }

  private static List<KernelMeasurement> run(List<BenchedKernel> kernels, KernelForm form) {
    List<KernelMeasurement> results = new ArrayList<>();
    KernelBench.run(new KernelBenchOptions(kernels, List.of(form), 70, 2, 16, 20, 1), results::add);
    return results;
  }
}
