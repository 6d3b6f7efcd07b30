package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.PartialAttention;
import org.longspan.executors.kernel.SoftmaxRanges;
import org.longspan.executors.latent.LatentAttentionTest.Variant;
import org.longspan.executors.latent.LatentRanks.Rank;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/** Latent attention whose scores and outputs are computed on an OpenCL device. */
class LatentDeviceTest {
  private static final double ROUNDED = 1e-5;

  /** The kernels' results are right to 1e-2; gradients of gains are sums of them that cancel. */
  private static final double HALVED = 2e-2;

  /** Longer than every sequence here. */
  private static final int WHOLE = 8192;

  @BeforeAll
  static void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
  }

  /** Counts what goes to a device, in spans of at most some tokens. */
  private static final class Counted implements PartialAttention {
    private final PartialAttention device;
    private final int span;
    private final AtomicInteger calls;
    private final AtomicInteger launches;

    Counted(PartialAttention device, int span, AtomicInteger calls, AtomicInteger launches) {
      this.device = device;
      this.span = span;
      this.calls = calls;
      this.launches = launches;
      ((DeviceTimed) device).timeLaunches();
    }

    @Override
    public void forward(
        Matrix q, Matrix k, Matrix v, SoftmaxRanges seen, Matrix o, Matrix logSums) {
      device.forward(q, k, v, seen, o, logSums);
      count();
    }

    @Override
    public void backward(
        Matrix q,
        Matrix k,
        Matrix v,
        Matrix logSums,
        Matrix means,
        Matrix outputGradient,
        SoftmaxRanges seen,
        Matrix dq,
        Matrix dk,
        Matrix dv) {
      device.backward(q, k, v, logSums, means, outputGradient, seen, dq, dk, dv);
      count();
    }

    /** Kernels are shared with other ranks, whose launches may be among those counted. */
    private void count() {
      LaunchTime time = ((DeviceTimed) device).takeLaunchTime();
      calls.incrementAndGet();
      launches.addAndGet(time.launches());
    }

    @Override
    public int span() {
      return span;
    }

    @Override
    public String description() {
      return device.description();
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger launches = new AtomicInteger();

  private BiFunction<LatentShare, LatentPlace, LatentBlocks> on(KernelChoice choice, int span) {
    return (share, place) -> {
      LatentShape shape = share.shape();
      PartialAttention device =
          Kernels.partial(
                  choice,
                  Precision.FLOAT,
                  new AttentionShape(share.heads(), shape.keyWidth(), shape.value()),
                  place.workers())
              .orElseThrow();
      return new DeviceBlocks(share, place, new Counted(device, span, calls, launches));
    };
  }

  private List<Rank> run(
      LatentCase given, int sequence, int tensor, KernelChoice choice, int span) {
    return new LatentRanks(given, Precision.FLOAT, sequence, tensor)
        .threads(2)
        .computing(on(choice, span))
        .run();
  }

  @ParameterizedTest
  @EnumSource
  void shouldEqualTheFormulasOnEveryMesh(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(4, 4), 150, 0, 20, 21, 67);
    for (int[] mesh : new int[][] {{1, 1}, {2, 1}, {4, 1}, {1, 4}, {2, 2}}) {
      calls.set(0);
      launches.set(0);

      List<Rank> ranks = run(given, mesh[0], mesh[1], KernelChoice.APARAPI, WHOLE);

      LatentAttentionTest.assertEqualsReference(given, ranks, ROUNDED);
      assertThat(calls.get()).isGreaterThanOrEqualTo(2 * mesh[0] * mesh[1]);
      assertThat(launches.get()).isGreaterThanOrEqualTo(calls.get());
    }
  }

  /** Blocks have 16 tokens here, so that a slice of keys comes in several parts to be joined. */
  @ParameterizedTest
  @CsvSource({"1, 16", "1, 48", "2, 32", "3, 16", "4, 64"})
  void shouldJoinWhatSeveralSpansOfKeysGive(int sequence, int span) {
    for (Variant variant : new Variant[] {Variant.MLA, Variant.TPLA_LOCAL}) {
      LatentCase given = new LatentCase(variant.shape(2, 2), 210, 0, 100, 101);
      LatentCase whole = new LatentCase(variant.shape(2, 2), 210, 0);

      LatentAttentionTest.assertEqualsReference(
          given, run(given, sequence, 1, KernelChoice.APARAPI, span), ROUNDED);
      LatentAttentionTest.assertEqualsReference(
          whole, run(whole, sequence, 1, KernelChoice.APARAPI, span), ROUNDED);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 4", "16, 3", "33, 7"})
  void shouldWorkWhereRanksHaveNoToken(int tokens, int sequence) {
    LatentCase given = new LatentCase(Variant.MLA.shape(2, 2), tokens, 0);
    LatentAttentionTest.assertEqualsReference(
        given, run(given, sequence, 1, KernelChoice.APARAPI, WHOLE), ROUNDED);
  }

  @Test
  void shouldEqualTheFormulasAboutInHalves() {
    LatentCase given = new LatentCase(Variant.MLA.shape(2, 2), 150, 0, 67);
    List<Rank> ranks = run(given, 2, 1, KernelChoice.APARAPI_BF16, 32);

    LatentAttentionTest.assertEqualsReference(given, ranks, HALVED);
    assertThatThrownBy(() -> LatentAttentionTest.assertEqualsReference(given, ranks, ROUNDED))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldRefuseWhatNoDeviceComputes() {
    LatentCase given = new LatentCase(Variant.MLA.shape(2, 2), 20, 0);
    assertThatThrownBy(
            () ->
                new LatentRanks(given, Precision.DOUBLE, 1, 1)
                    .computing(
                        (share, place) ->
                            LatentBlocks.of(share, place.computing(KernelChoice.APARAPI)))
                    .run())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("kernel: aparapi computes in float only");
  }

  @Test
  void shouldSayWhatComputes() {
    LatentCase given = new LatentCase(Variant.MLA.shape(2, 2), 20, 0);
    for (KernelChoice choice : new KernelChoice[] {KernelChoice.APARAPI, KernelChoice.CPU}) {
      new LatentRanks(given, Precision.FLOAT, 1, 1)
          .computing(
              (share, place) -> {
                LatentBlocks blocks = LatentBlocks.of(share, place.computing(choice));
                assertThat(blocks.description())
                    .startsWith(choice == KernelChoice.CPU ? "cpu" : "aparapi on ");
                return blocks;
              })
          .run();
    }
  }
}
