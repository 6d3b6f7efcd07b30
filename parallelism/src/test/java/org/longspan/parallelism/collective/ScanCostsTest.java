package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;

@Timeout(120)
class ScanCostsTest {
  /** Folds of 1 ns a byte by factors, of 0.1 ns a byte and row by matrices. */
  private static final ScanCosts COSTS =
      new ScanCosts(new LinkQuality(50e-6, 2e9), new FoldCost(1e-9, 0.1e-9));

  private static final StateShape SHAPE = new StateShape(ElementType.FLOAT, 2, 50, 100);

  @ParameterizedTest
  @MethodSource("org.longspan.parallelism.collective.Groups#all")
  void shouldMeasureTheSameOnEveryRank(Carrier carrier, int ranks) {
    List<ScanCosts> costs = Groups.run(carrier, ranks, ScanCosts::measure);
    assertThat(costs).containsOnly(costs.get(0));
    if (ranks == 1) {
      assertThat(costs).containsOnly(ScanCosts.USUAL);
    } else {
      // Between ten times what memory gives and a hundredth of an interpreter's rate.
      assertThat(costs.get(0).fold().scaleSecondsPerByte()).isBetween(1e-12, 1e-6);
      assertThat(costs.get(0).fold().multiplySecondsPerByte()).isBetween(1e-13, 1e-6);
      assertThat(costs.get(0).fold()).isNotEqualTo(FoldCost.USUAL);
    }
  }

  @Test
  void shouldCountTheFoldsOfAChain() {
    // 40,000 bytes: 20 µs to carry, 40 µs and 200 µs to fold.
    assertThat(COSTS.chainSeconds(4, SHAPE, TransitionKind.DIAGONAL, 2))
        .isCloseTo(4 * (50e-6 + 10e-6 + 20e-6), within(1e-12));
    assertThat(COSTS.chainSeconds(4, SHAPE, TransitionKind.MATRIX, 2))
        .isCloseTo(4 * (50e-6 + 10e-6 + 100e-6), within(1e-12));
    assertThat(COSTS.chainSeconds(1, SHAPE, TransitionKind.MATRIX, 2)).isZero();
  }

  @ParameterizedTest
  @EnumSource(TransitionKind.class)
  void shouldCutTheStateForTheLeastTimeOfCarryingAndFolding(TransitionKind kind) {
    for (int ranks : new int[] {3, 8, 64}) {
      int best = COSTS.chainBlocks(ranks, SHAPE, kind);
      double time = COSTS.chainSeconds(ranks, SHAPE, kind, best);
      assertThat(time).isLessThanOrEqualTo(COSTS.chainSeconds(ranks, SHAPE, kind, best + 1));
      assertThat(time)
          .isLessThanOrEqualTo(COSTS.chainSeconds(ranks, SHAPE, kind, Math.max(1, best - 1)));
    }
    assertThat(COSTS.chainBlocks(64, SHAPE, TransitionKind.MATRIX))
        .isGreaterThan(COSTS.chainBlocks(64, SHAPE, TransitionKind.DIAGONAL));
  }

  @Test
  void shouldCountTheFoldsAndCompositionsOfALogScan() {
    // Transitions of 400 and of 20,000 bytes: 0.2 and 10 µs to carry, 0.4 and 100 µs to compose.
    assertThat(COSTS.logSeconds(8, SHAPE, TransitionKind.DIAGONAL))
        .isCloseTo(3 * 70.2e-6 + 5 * 40e-6 + 2 * 0.4e-6, within(1e-12));
    assertThat(COSTS.logSeconds(8, SHAPE, TransitionKind.MATRIX))
        .isCloseTo(3 * 80e-6 + 5 * 200e-6 + 2 * 100e-6, within(1e-12));
    assertThat(COSTS.logSeconds(2, SHAPE, TransitionKind.MATRIX))
        .isCloseTo(80e-6 + 200e-6, within(1e-12));
    assertThat(COSTS.logSeconds(1, SHAPE, TransitionKind.MATRIX)).isZero();
  }

  @Test
  void shouldChooseTheChainForLargeStatesAndTheLogScanForManyRanks() {
    Groups.run(
        Carrier.MEMORY,
        16,
        communicator -> {
          assertThat(choice(communicator, 64, TransitionKind.DIAGONAL, ScanCosts.USUAL))
              .isEqualTo("chain in 17 blocks, chosen for 60 µs, 1.00 GB/s and 0.21 ms a fold");
          assertThat(choice(communicator, 4, TransitionKind.DIAGONAL, ScanCosts.USUAL))
              .isEqualTo("log-scan, chosen for 60 µs, 1.00 GB/s and 0.00082 ms a fold");
          return null;
        });
  }

  /** A link so fast that only latency and folding count. */
  @Test
  void shouldChooseTheChainWhereMatricesAreDearToCompose() {
    ScanCosts costs = new ScanCosts(new LinkQuality(200e-6, 1e12), FoldCost.USUAL);
    Groups.run(
        Carrier.MEMORY,
        16,
        communicator -> {
          assertThat(choice(communicator, 64, TransitionKind.DIAGONAL, costs))
              .startsWith("log-scan, chosen for 200 µs");
          assertThat(choice(communicator, 64, TransitionKind.MATRIX, costs))
              .startsWith("chain in ")
              .endsWith("chosen for 200 µs, 1000.00 GB/s and 4.2 ms a fold");
          return null;
        });
  }

  private static String choice(
      Communicator communicator, int width, TransitionKind kind, ScanCosts costs) {
    StateShape shape = new StateShape(ElementType.FLOAT, 64, width, width);
    return Scans.of(ScanChoice.AUTO, communicator, shape, kind, 0, costs).description();
  }

  @Test
  void shouldRefuseFoldsThatCostNothing() {
    assertThatThrownBy(() -> new FoldCost(1e-9, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Folds of 1.0E-9 s a byte by factors and 0.0 by matrices");
  }
}
