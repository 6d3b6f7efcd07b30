package org.longspan.executors.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.OpenClDevices;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** What a rank does while its states travel. */
class LinearOverlapTest {
  private static final int TOKENS = 32;
  private static final int RANKS = 3;

  /** When to wait for what travels. */
  private static final String LEFT = "left to the attention";

  /** The middle rank's: it waits for others and others wait for it. */
  private static final List<String> IN_ORDER =
      List.of(
          "summarize",
          "start FORWARD",
          LEFT,
          "forward",
          "await FORWARD",
          "addIncoming",
          "summarizeGradient",
          "start BACKWARD",
          LEFT,
          "backward",
          "await BACKWARD",
          "addIncomingGradient");

  @ParameterizedTest
  @EnumSource(
      names = {"LIGHTNING", "SIMPLE_GLA", "GLA", "GATED_DELTA"},
      value = MixerKind.class)
  void shouldComputeItsOwnPartWhileAStateTravels(MixerKind mixer) {
    assertThat(events(mixer, KernelChoice.CPU)).isEqualTo(IN_ORDER);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"LIGHTNING", "GATED_DELTA"},
      value = MixerKind.class)
  void shouldGoToTheDeviceAndBackWhileAStateTravels(MixerKind mixer) {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    List<String> onDevice =
        IN_ORDER.stream()
            .map(event -> event.contains(" ") ? event : event + " on the device")
            .toList();
    assertThat(events(mixer, KernelChoice.APARAPI_BF16)).isEqualTo(onDevice);
  }

  private static List<String> events(MixerKind mixer, KernelChoice kernel) {
    return LocalRanks.run(
            InProcessTransport.connect(RANKS, Duration.ofSeconds(60)),
            // Attentions on a device share kernels, whose launches are counted together.
            transport -> rank(transport, mixer, transport.rank() == 1 ? kernel : KernelChoice.CPU))
        .get(1);
  }

  private static List<String> rank(Transport transport, MixerKind mixer, KernelChoice kernel) {
    RankMode mode =
        new RankMode(
            kernel,
            RankMode.Reproducibility.FAST,
            RankMode.LayerMemory.KEEP,
            RankMode.Exchange.WHOLE,
            ScanChoice.CHAIN,
            1,
            ScanCosts.USUAL);
    List<String> events = new ArrayList<>();
    try (Workers workers = new Workers(1);
        Communicator sequence = Communicator.over(transport, List.of(0, 1, 2), 1);
        Communicator tensor = Communicator.over(transport, List.of(transport.rank()), 2);
        RankEnvironment environment =
            new RankEnvironment(
                Numerics.of(Precision.FLOAT), workers, sequence, tensor, mode, TOKENS, TOKENS)) {
      environment.accept(slice(transport.rank()));
      BlockShape shape = new BlockShape(mixer, 16, 2, 0, 0, 0, 0, 2, null);
      StateScan scan = environment.scan(2, 8, 8, LinearRule.of(mixer).transitionKind());
      LinearAttention attention =
          LinearRule.of(mixer)
              .attention(kernel, Precision.FLOAT, shape, new Span(0, 2), TOKENS, workers);
      try (LinearMixer layer =
          new LinearMixer(
              environment, shape, recorded(attention, events), new Recorded(scan, events))) {
        layer.attend(null);
        layer.attendGradient(null);
      }
    }
    return events;
  }

  private static SliceInput slice(int place) {
    List<Slice> slices = new ArrayList<>();
    for (int rank = 0; rank < RANKS; rank++) {
      slices.add(new Slice((long) rank * TOKENS, (rank + 1L) * TOKENS));
    }
    return new SliceInput(
        new int[TOKENS],
        new int[TOKENS],
        Documents.one(TOKENS, (long) place * TOKENS),
        slices,
        place);
  }

  /** Records what an attention has done; of one on a device, whether its launches are over. */
  private static LinearAttention recorded(LinearAttention attention, List<String> events) {
    DeviceTimed device = attention instanceof DeviceTimed timed ? timed : null;
    if (device != null) {
      device.timeLaunches();
    }
    InvocationHandler record =
        (proxy, method, arguments) -> {
          if (method.isDefault()) {
            events.add(LEFT);
            return InvocationHandler.invokeDefault(proxy, method, arguments);
          }
          Object result = method.invoke(attention, arguments);
          if (IN_ORDER.contains(method.getName())) {
            boolean hasLaunched = device != null && device.takeLaunchTime().launches() > 0;
            events.add(method.getName() + (hasLaunched ? " on the device" : ""));
          }
          return result;
        };
    return (LinearAttention)
        Proxy.newProxyInstance(
            LinearOverlapTest.class.getClassLoader(),
            new Class<?>[] {LinearAttention.class},
            record);
  }

  private record Recorded(StateScan scan, List<String> events) implements StateScan {
    @Override
    public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
      events.add("start " + direction);
      Pending travelling = scan.start(direction, pieces);
      return () -> {
        events.add("await " + direction);
        travelling.await();
      };
    }

    @Override
    public String description() {
      return scan.description();
    }
  }
}
