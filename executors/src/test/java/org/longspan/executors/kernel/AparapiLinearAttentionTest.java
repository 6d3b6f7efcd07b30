package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.ProfileReport;
import com.aparapi.Range;
import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.OpenClDevices;

class AparapiLinearAttentionTest {
  private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);

  @Test
  void shouldRefuseDouble() {
    assertThatThrownBy(
            () -> {
              try (Workers workers = new Workers(1)) {
                Kernels.linear(
                        KernelChoice.APARAPI,
                        Precision.DOUBLE,
                        new AttentionShape(1, 2, 2),
                        new double[1],
                        64,
                        workers)
                    .close();
              }
            })
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("kernel: aparapi computes in float only");
  }

  /**
   * Where the check of a change runs, a device that is not found must not pass for a machine that
   * has none.
   */
  @Test
  @EnabledIfEnvironmentVariable(named = "LONGSPAN_REQUIRE_OPENCL", matches = "true")
  void shouldHaveADeviceWhereOneIsRequired() {
    assertThat(OpenClDevices.all()).isNotEmpty();
  }

  @Nested
  class OnADevice {
    @BeforeAll
    static void shouldHaveADevice() {
      assumeFalse(
          OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    }

    @ParameterizedTest
    @CsvSource({"1,1", "3,5", "5,3", "64,64", "65,64", "64,65", "16,130"})
    void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
      AttentionShape shape = new AttentionShape(3, keyWidth, valueWidth);
      assertEqualsRecurrence(random(1, shape, 1, Documents.one(150, 7)), 64);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 63, 64, 65, 200})
    void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
      AttentionShape shape = new AttentionShape(2, 9, 4);
      assertEqualsRecurrence(random(2, shape, 1, Documents.one(tokens, 1)), 64);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 1, 16, 256})
    void shouldEqualTheRecurrenceUnderStrongAndWeakDecay(double weakness) {
      AttentionShape shape = new AttentionShape(4, 8, 6);
      assertEqualsRecurrence(random(3, shape, weakness, Documents.one(500, 3)), 32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0 1 2 3", "63", "64", "65", "1 63 65", "10 70 71 128 190"})
    void shouldStopAtDocumentBoundaries(String starts) {
      int[] offsets = Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
      Documents documents = new Documents(200, offsets, offsets[0] == 0 ? 0 : 20);
      AttentionCase problem = random(4, new AttentionShape(3, 5, 8), 256, documents);
      assertEqualsRecurrence(problem, 64);
    }

    @Test
    void shouldEqualOneSliceWhenCutOverRanks() {
      AttentionShape shape = new AttentionShape(2, 8, 5);
      Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
      AttentionCase problem = random(6, shape, 256, documents);
      assertEqualsRecurrence(problem, 64, 64, 128, 192, 256);
      assertEqualsRecurrence(problem, 64, 100, 100, 300);
    }

    @Test
    void shouldRunOnTheDevice() throws Exception {
      OpenCLDevice device = OpenClDevices.best().orElseThrow();
      AttendKernel kernel = new AttendKernel(1, 1, 1, 1, 2);
      kernel.compile(device);
      kernel.heads = 1;
      kernel.keyWidth = 1;
      kernel.valueWidth = 1;
      kernel.tokens = 1;
      kernel.chunks = 1;
      kernel.powerCount = 2;
      kernel.lag = 1;
      kernel.pairs = 1;
      kernel.queries[0] = 2;
      kernel.keys[0] = 3;
      kernel.values[0] = 5;
      kernel.starts[1] = 1;
      kernel.powers[0] = 1;
      kernel.powers[1] = 1;
      kernel.outputs[0] = Float.NaN;
      kernel.put(kernel.queries).put(kernel.keys).put(kernel.values).put(kernel.initial);
      kernel.put(kernel.starts).put(kernel.powers).put(kernel.fresh).put(kernel.chunkOf);
      kernel.execute(Range.create(device, 64, 64), 3);
      kernel.get(kernel.outputs).get(kernel.last);
      ProfileReport report = kernel.getProfileReportCurrentThread(device).get();
      assertThat(report).isNotNull();
      assertThat(report.getDevice()).isEqualTo(device);
      assertThat(report.getKernelClass()).isEqualTo(AttendKernel.class);
      assertThat(kernel.isRunningCL()).isTrue();
      assertThat(kernel.outputs[0]).isEqualTo(30f);
      assertThat(kernel.last[0]).isEqualTo(15f);
      kernel.dispose();
    }

    @Test
    void shouldSayOnWhichDevice() {
      try (Workers workers = new Workers(1);
          LinearAttention attention =
              Kernels.linear(
                  KernelChoice.APARAPI,
                  Precision.FLOAT,
                  new AttentionShape(1, 2, 2),
                  new double[1],
                  64,
                  workers)) {
        assertThat(attention.description())
            .startsWith("aparapi on ")
            .contains(OpenClDevices.best().orElseThrow().getName().strip());
      }
    }

    private static AttentionCase random(
        long seed, AttentionShape shape, double weakness, Documents documents) {
      return AttentionCase.random(seed, LinearRule.CONSTANT, shape, 1 / weakness, documents);
    }

    private static void assertEqualsRecurrence(AttentionCase problem, int chunk, int... cuts) {
      AttentionRanks.of(problem, Precision.FLOAT, chunk)
          .withKernel(
              workers ->
                  new AparapiLinearAttention(
                      OpenClDevices.best().orElseThrow(),
                      problem.shape(),
                      problem.slopes(),
                      chunk,
                      "aparapi"))
          .run(cuts)
          .assertEquals(
              AttentionRecurrence.of(problem),
              TOLERANCE,
              "aparapi",
              problem.documents().tokens(),
              cuts);
    }
  }
}
