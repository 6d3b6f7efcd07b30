package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.OpenClDevices;

class KernelTuningTest {
  private static final TuningKey KEY = new TuningKey("a device", "driver 1", "a kernel, 64 tokens");
  private static final List<LinearForm> FORMS = List.of(LinearForm.values());

  private static final int CUT = 40;

  @TempDir private Path folder;

  private TuningFile file() {
    return new TuningFile(folder.resolve("longspan").resolve("kernels.json"));
  }

  private static double measuredAgain(LinearForm form) {
    throw new AssertionError("Measured again, as " + form);
  }

  private static ToDoubleFunction<LinearForm> times(double tiles, double rows) {
    return form ->
        switch (form) {
          case TILES -> tiles;
          case ROWS -> rows;
        };
  }

  @Test
  void shouldTakeTheFasterForm() {
    assertThat(new KernelTuning(file()).choose(KEY, FORMS, times(2, 3)))
        .isEqualTo(LinearForm.TILES);
    TuningKey other = new TuningKey("a device", "driver 1", "a kernel, 128 tokens");
    assertThat(new KernelTuning(file()).choose(other, FORMS, times(3, 2)))
        .isEqualTo(LinearForm.ROWS);
  }

  @Test
  void shouldMeasureOnceForAllProcesses() {
    KernelTuning first = new KernelTuning(file());
    first.choose(KEY, FORMS, times(3, 2));
    assertThat(first.choose(KEY, FORMS, KernelTuningTest::measuredAgain))
        .isEqualTo(LinearForm.ROWS);
    assertThat(new KernelTuning(file()).choose(KEY, FORMS, KernelTuningTest::measuredAgain))
        .isEqualTo(LinearForm.ROWS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no JSON",
        "[]",
        "{\"version\": 1, \"devices\": {}}",
        "{\"version\": NOW, \"devices\": 7}",
        "{\"version\": NOW, \"devices\": {\"a device\": {\"driver\": \"driver 1\", \"seconds\":"
            + " {\"a kernel, 64 tokens\": {\"tiles\": -1, \"rows\": 5}}}}}",
        "{\"version\": NOW, \"devices\": {\"a device\": {\"driver\": \"driver 1\", \"seconds\":"
            + " {\"a kernel, 64 tokens\": {\"columns\": 1, \"rows\": 5}}}}}",
        "{\"version\": NOW, \"devices\": {\"a device\": {\"driver\": \"driver 1\", \"seconds\":"
            + " {\"a kernel, 64 tokens\": {}}}}}"
      })
  void shouldMeasureAgainWhereTheFileIsDamaged(String content) throws IOException {
    Files.createDirectories(file().path().getParent());
    Files.writeString(file().path(), content.replace("NOW", Integer.toString(TuningFile.VERSION)));

    assertThat(new KernelTuning(file()).choose(KEY, FORMS, times(2, 3)))
        .isEqualTo(LinearForm.TILES);

    assertThat(file().read(KEY)).contains(Map.of("tiles", 2.0, "rows", 3.0));
  }

  @Test
  void shouldForgetWhatAnotherDriverTook() throws IOException {
    TuningKey elsewhere = new TuningKey("another device", "driver 1", KEY.work());
    file().write(KEY, Map.of("tiles", 1.0, "rows", 2.0));
    file().write(elsewhere, Map.of("tiles", 1.0, "rows", 2.0));
    TuningKey newer = new TuningKey(KEY.device(), "driver 2", "a kernel, 128 tokens");

    assertThat(new KernelTuning(file()).choose(newer, FORMS, times(2, 1)))
        .isEqualTo(LinearForm.ROWS);

    assertThat(file().read(newer)).isPresent();
    assertThat(file().read(KEY)).isEmpty();
    assertThat(file().read(elsewhere)).isPresent();
  }

  @Test
  void shouldChooseWhereNothingCanBeKept() throws IOException {
    Path occupied = Files.createFile(folder.resolve("longspan"));

    assertThat(
            new KernelTuning(new TuningFile(occupied.resolve("kernels.json")))
                .choose(KEY, FORMS, times(3, 2)))
        .isEqualTo(LinearForm.ROWS);
  }

  @Test
  void shouldLeaveOutAFormThatTheDeviceRefuses() {
    KernelTuning tuning = new KernelTuning(file());
    assertThat(
            tuning.choose(
                KEY,
                FORMS,
                form -> {
                  if (form == LinearForm.TILES) {
                    throw new InvalidInputException("too little memory");
                  }
                  return 7;
                }))
        .isEqualTo(LinearForm.ROWS);
    TuningKey other = new TuningKey("a device", "driver 1", "another kernel");
    assertThatThrownBy(
            () ->
                tuning.choose(
                    other,
                    FORMS,
                    form -> {
                      throw new InvalidInputException("not as " + form);
                    }))
        .hasMessage("not as TILES");
  }

  @Test
  void shouldKeepWhatTwoProcessesMeasureAtOnce() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (String name : List.of("one", "other")) {
      processes.add(writer(name, TuningWriter.TIMES));
    }
    for (Process process : processes) {
      awaitReady(process);
    }
    for (Process process : processes) {
      letWrite(process);
    }
    for (Process process : processes) {
      assertThat(process.waitFor()).isZero();
    }
    for (String name : List.of("one", "other")) {
      for (int i = 0; i < TuningWriter.TIMES; i++) {
        assertThat(file().read(TuningWriter.key(name, i))).as("%s %d", name, i).isPresent();
      }
    }
  }

  private Process writer(String name, int times) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            TuningWriter.class.getName(),
            file().path().toString(),
            name,
            Integer.toString(times))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static void awaitReady(Process process) throws IOException {
    assertThat(process.inputReader().readLine()).isEqualTo(TuningWriter.READY);
  }

  private static void letWrite(Process process) throws IOException {
    process.outputWriter().write(System.lineSeparator());
    process.outputWriter().flush();
  }

  /** A writer that took no lock, or shared it with others, would not wait for this one. */
  @Test
  void shouldWaitForWhoeverHasTheFile() throws Exception {
    Files.createDirectories(file().path().getParent());
    Path lock = file().path().resolveSibling("kernels.json.lock");
    Process process = writer("one", 1);
    try (FileChannel channel =
            FileChannel.open(
                lock,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        FileLock shared = channel.lock(0, Long.MAX_VALUE, true)) {
      assertThat(shared.isShared()).isTrue();
      awaitReady(process);
      letWrite(process);

      assertThat(process.waitFor(2, TimeUnit.SECONDS)).isFalse();
      assertThat(file().read(TuningWriter.key("one", 0))).isEmpty();
    }
    assertThat(process.waitFor()).isZero();
    assertThat(file().read(TuningWriter.key("one", 0))).isPresent();
  }

  @Test
  void shouldKeepItsFileWhereCachesLie() {
    assertThat(TuningFile.ofUser("/caches", "/home/someone").path())
        .isEqualTo(Path.of("/caches/longspan/kernels.json"));
    assertThat(TuningFile.ofUser(null, "/home/someone").path())
        .isEqualTo(Path.of("/home/someone/.cache/longspan/kernels.json"));
    assertThat(TuningFile.ofUser("relative", "/home/someone").path())
        .isEqualTo(Path.of("/home/someone/.cache/longspan/kernels.json"));
  }

  @ParameterizedTest
  @EnumSource(LinearForm.class)
  void shouldComputeInTheFormThatWasChosen(LinearForm form) throws IOException {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    OpenCLDevice device = OpenClDevices.best().orElseThrow();
    assumeTrue(device.getType() == Device.TYPE.CPU, "only processors have a choice");
    AttentionShape shape = new AttentionShape(2, 9, 5);
    AttentionCase problem =
        AttentionCase.random(1, LinearRule.CONSTANT, shape, 0.2, Documents.one(100, 7));
    for (int size = 1; size <= 128; size *= 2) {
      file()
          .write(
              TuningKey.of(device, "lightning", shape, size),
              Map.of(
                  "tiles", form == LinearForm.TILES ? 1.0 : 2.0,
                  "rows", form == LinearForm.ROWS ? 1.0 : 2.0));
    }
    AttentionResult chosen =
        run(problem, workers -> tuned(device, DeviceRule.CONSTANT, problem, workers));
    chosen.assertEquals(
        AttentionRecurrence.of(problem), new Tolerance(1e-5, 1e-5), form.name(), 100, CUT);
    // Forms round otherwise.
    for (LinearForm other : LinearForm.values()) {
      double[] alone = run(problem, workers -> in(other, device, problem, workers)).get(Part.DQ);
      assertThat(Arrays.equals(chosen.get(Part.DQ), alone))
          .as("%s", other)
          .isEqualTo(other == form);
    }
  }

  @ParameterizedTest
  @EnumSource(DeviceRule.class)
  void shouldMeasureEachRuleByItself(DeviceRule rule) {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    OpenCLDevice device = OpenClDevices.best().orElseThrow();
    AttentionShape shape = new AttentionShape(2, 9, 5);
    AttentionCase problem = AttentionCase.random(1, rule(rule), shape, 0.2, Documents.one(16, 0));
    AttentionRanks.of(problem, Precision.FLOAT, 64)
        .withKernel(workers -> tuned(device, rule, problem, workers))
        .run()
        .assertEquals(AttentionRecurrence.of(problem), new Tolerance(1e-5, 1e-5), rule.name(), 16);
    Optional<Map<String, Double>> times =
        file().read(TuningKey.of(device, rule.label(), shape, 16));
    if (device.getType() == Device.TYPE.CPU) {
      assertThat(times.orElseThrow()).containsOnlyKeys("tiles", "rows");
    } else {
      assertThat(times).isEmpty();
    }
  }

  @Test
  void shouldTakeTilesForHeadsTooWideForRows() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    OpenCLDevice device = OpenClDevices.best().orElseThrow();
    AttentionShape shape = new AttentionShape(1, 5, 300);
    AttentionCase problem =
        AttentionCase.random(1, LinearRule.CONSTANT, shape, 0.2, Documents.one(30, 7));
    AttentionRanks.of(problem, Precision.FLOAT, 64)
        .withKernel(workers -> tuned(device, DeviceRule.CONSTANT, problem, workers))
        .run()
        .assertEquals(AttentionRecurrence.of(problem), new Tolerance(1e-5, 1e-5), "wide", 30);
    AttentionCase replacing =
        AttentionCase.random(1, LinearRule.DELTA, shape, 0.2, Documents.one(30, 7));
    assertThatThrownBy(
            () ->
                AttentionRanks.of(replacing, Precision.FLOAT, 64)
                    .withKernel(workers -> tuned(device, DeviceRule.DELTA, replacing, workers))
                    .run())
        .hasStackTraceContaining(
            "kernel: aparapi has gated-delta for heads of up to 256 columns, not 300; set kernel:"
                + " cpu");
  }

  private static AttentionResult run(
      AttentionCase problem, Function<Workers, LinearAttention> kernel) {
    return AttentionRanks.of(problem, Precision.FLOAT, 64).withKernel(kernel).run(CUT);
  }

  private LinearAttention tuned(
      OpenCLDevice device, DeviceRule rule, AttentionCase problem, Workers workers) {
    return new TunedLinearAttention(
        device,
        rule,
        problem.shape(),
        Storage.FLOAT,
        rule == DeviceRule.CONSTANT ? problem.slopes() : null,
        workers,
        "aparapi",
        new KernelTuning(file()));
  }

  private static LinearAttention in(
      LinearForm form, OpenCLDevice device, AttentionCase problem, Workers workers) {
    return new DeviceLinearAttention(
        device,
        DeviceRule.CONSTANT,
        form,
        problem.shape(),
        Storage.FLOAT,
        LaunchLimits.of(device),
        problem.slopes(),
        workers,
        "aparapi");
  }

  private static LinearRule rule(DeviceRule rule) {
    return switch (rule) {
      case CONSTANT -> LinearRule.CONSTANT;
      case HEAD_GATES -> LinearRule.SCALAR_GATE;
      case KEY_GATES -> LinearRule.VECTOR_GATE;
      case DELTA -> LinearRule.DELTA;
    };
  }
}
