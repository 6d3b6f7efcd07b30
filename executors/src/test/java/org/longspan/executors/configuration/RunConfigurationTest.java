package org.longspan.executors.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.longspan.executors.configuration.MixerKind.LIGHTNING;
import static org.longspan.executors.configuration.MixerKind.LOCAL;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.memory.Precision;

class RunConfigurationTest {
  @TempDir Path folder;

  @Test
  void shouldReadNestedAndDottedKeys() {
    RunConfiguration configuration =
        parse(
            """
            data: {path: /data/text}
            model:
              width: 96
              heads: 3
              feed-forward: 704
              pattern: [lightning, lightning, local]
            train.learning-rate: 8e-3
            kernel: cpu
            precision: double
            seed: 5000000000
            """);

    assertThat(configuration.get(Options.DATA_PATH)).isEqualTo("/data/text");
    assertThat(configuration.get(Options.MODEL_WIDTH)).isEqualTo(96);
    assertThat(configuration.get(Options.MODEL_FEED_FORWARD)).isEqualTo(704);
    assertThat(configuration.get(Options.MODEL_PATTERN))
        .containsExactly(LIGHTNING, LIGHTNING, LOCAL);
    assertThat(configuration.get(Options.TRAIN_LEARNING_RATE)).isEqualTo(8e-3);
    assertThat(configuration.get(Options.KERNEL)).isEqualTo(KernelChoice.CPU);
    assertThat(configuration.get(Options.PRECISION)).isEqualTo(Precision.DOUBLE);
    assertThat(configuration.get(Options.SEED)).isEqualTo(5_000_000_000L);
    assertThat(configuration.get(Options.TRAIN_STEPS)).isEqualTo(100);
  }

  @Test
  void shouldPutOverridesBeforeTheFile() {
    RunConfiguration configuration =
        RunConfiguration.parse(
            "model: {width: 96, heads: 3}",
            "run.yaml",
            Map.of("model.width", "48", "model.pattern", "lightning,local"));

    assertThat(configuration.get(Options.MODEL_WIDTH)).isEqualTo(48);
    assertThat(configuration.get(Options.MODEL_HEADS)).isEqualTo(3);
    assertThat(configuration.get(Options.MODEL_PATTERN)).containsExactly(LIGHTNING, LOCAL);
  }

  @Test
  void shouldAcceptEveryDefault() {
    for (Option<?> option : Options.all()) {
      assertThat(defaultReadBack(option)).as(option.key()).isEqualTo(option.defaultValue());
      assertThat(option.description()).as(option.key()).isNotEmpty();
    }
  }

  private static <T> T defaultReadBack(Option<T> option) {
    return option.parse(option.format(option.defaultValue()), "a test");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "model: {widht: 96} | Unknown key model.widht in run.yaml; the nearest known one is model.width.",
        "width: 96 | Unknown key width in run.yaml; the nearest known one is model.width.",
        "train.learningrate: 1 | Unknown key train.learningrate in run.yaml; the nearest known one is train.learning-rate.",
        "mesh: 3 | Unknown key mesh in run.yaml; it is a group, whose keys are mesh.data, mesh.sequence, mesh.tensor.",
        "model.width: wide | model.width in run.yaml is 'wide'; it takes a whole number from 1 up.",
        "model.width: 96.5 | model.width in run.yaml is '96.5'; it takes a whole number from 1 up.",
        "model.width: [96] | model.width in run.yaml is '[96]'; it takes a whole number from 1 up.",
        "model.width: ~ | model.width in run.yaml is without a value; it takes a whole number from 1 up.",
        "train.steps: 0 | train.steps in run.yaml is 0; it takes a whole number from 1 up.",
        "model.convolution: 17 | model.convolution in run.yaml is 17; it takes a whole number from 0 to 16.",
        "train.learning-rate: 0 | train.learning-rate in run.yaml is 0.0; it takes a number above 0.",
        "train.learning-rate: NaN | train.learning-rate in run.yaml is 'NaN'; it takes a number above 0.",
        "deterministic: perhaps | deterministic in run.yaml is 'perhaps'; it takes `true` or `false`.",
        "kernel: cuda | kernel in run.yaml is 'cuda'; it takes `auto`, `aparapi`, `aparapi-bf16` or `cpu`.",
        "model.pattern: [lightning, mamba] | model.pattern in run.yaml is '[lightning, mamba]'; it takes a list of `lightning`, `simple-gla`, `gla`, `gated-delta`, `local` or `latent`.",
        "model.pattern: [] | model.pattern in run.yaml is '[]'; it takes a list of `lightning`, `simple-gla`, `gla`, `gated-delta`, `local` or `latent`.",
        "model.width: 100000000000 | model.width in run.yaml is '100000000000'; it takes a whole number from 1 up.",
        "model: {width: 100, heads: 3} | model.width is 100, which is no multiple of model.heads, 3; 102 would do.",
        "mesh.data: 2 | data.batch is 1, which is no multiple of mesh.data, 2; 2 would do.",
        "mesh.tensor: 3 | 3 tensor ranks cannot share model.heads of 4 equally; 1, 2 or 4 would do for mesh.tensor.",
        "{exchange.cut: true, deterministic: true} | exchange.cut and deterministic are both true; a cut exchange makes results depend on mesh.sequence, so set one of them to false.",
        "just text | run.yaml is not a configuration; it needs lines such as model.width: 256.",
        "# nothing | run.yaml is empty; a configuration has at least one key, such as data.path.",
        "\"\" | run.yaml is empty; a configuration has at least one key, such as data.path."
      })
  void shouldRefuseInOneSentence(String yaml, String sentence) {
    assertThatThrownBy(() -> parse(yaml))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(sentence);
  }

  @Test
  void shouldOfferTensorRanksThatServeHeadsAndGroupsAlike() {
    String model =
        "model: {width: 24, heads: 6, layers: 2, pattern: [lightning, latent],"
            + " latent: {rank: 16, rope: 2, form: tpla, groups: 4}}\nmesh.tensor: ";
    assertThatThrownBy(() -> parse(model + 4))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("share model.heads of 6 equally; 1 or 2 would do for mesh.tensor.");
    assertThatThrownBy(() -> parse(model + 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(
            "share model.latent.groups of 4 equally; 1 or 2 would do for mesh.tensor.");
    assertThat(parse(model + 2).get(Options.MESH_TENSOR)).isEqualTo(2);
  }

  @ParameterizedTest
  @EnumSource(MixerKind.class)
  void shouldKeepHalvesWithEveryMixer(MixerKind mixer) {
    String pattern = "model.pattern: [" + mixer.name().toLowerCase(Locale.ROOT).replace('_', '-');
    assertThat(parse("kernel: aparapi-bf16\n" + pattern + "]").get(Options.KERNEL))
        .isEqualTo(KernelChoice.APARAPI_BF16);
  }

  @Test
  void shouldRefuseAFaultThatStrikesNowhere() {
    String mesh = "mesh: {data: 2, sequence: 3}\ndata.batch: 2\ntrain.steps: 10\nfault.kind: die\n";
    assertThat(parse(mesh + "fault: {rank: 5, step: 10}").get(Options.FAULT_RANK)).isEqualTo(5);
    assertThatThrownBy(() -> parse(mesh + "fault.rank: 6"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(
            "fault.rank is 6, and mesh.data, mesh.sequence and mesh.tensor make 6 ranks, counted from 0.");
    assertThatThrownBy(() -> parse(mesh + "fault.step: 11"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("fault.step is 11, and training ends at train.steps of 10.");
  }

  @Test
  void shouldRefuseAparapiInDouble() {
    for (String kernel : new String[] {"aparapi", "aparapi-bf16"}) {
      assertThatThrownBy(() -> parse("kernel: " + kernel + "\nprecision: double"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("aparapi computes in float");
    }
  }

  @Test
  void shouldRefuseWhatIsGivenTwice() {
    assertThatThrownBy(() -> parse("seed: 1\nseed: 2"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("run.yaml is not YAML at line 2")
        .hasMessageContaining("seed");
    assertThatThrownBy(() -> parse("model.width: 8\nmodel: {width: 8}"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("model.width is given twice in run.yaml.");
  }

  @Test
  void shouldNameTheLineOfBrokenYaml() {
    assertThatThrownBy(() -> parse("seed: 1\nmodel: {width: 8\ntrain: }"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("run.yaml is not YAML at line 3");
    assertThatThrownBy(() -> parse("model:\n  width: 8\n heads: 2"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "run.yaml is not YAML at line 3: the indentation is not that of the lines before.");
    assertThatThrownBy(() -> parse("seed: 1\n---\nseed: 2"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("run.yaml holds more than one document; a configuration is one.");
  }

  @Test
  void shouldNameTheCommandLineForABadOverride() {
    assertThatThrownBy(
            () -> RunConfiguration.parse("seed: 1", "run.yaml", Map.of("train.steps", "-1")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("train.steps in the command line is -1; it takes a whole number from 1 up.");
  }

  @Test
  void shouldSayThatTheFileIsMissingOrNoText() throws IOException {
    Path missing = folder.resolve("missing.yaml");
    Path binary = Files.write(folder.resolve("binary.yaml"), new byte[] {(byte) 0xC3, 0x28});

    assertThatThrownBy(() -> RunConfiguration.load(missing, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("The configuration " + missing + " is missing.");
    assertThatThrownBy(() -> RunConfiguration.load(folder, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("The configuration " + folder + " is not a file.");
    assertThatThrownBy(() -> RunConfiguration.load(binary, Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("The configuration " + binary + " is not text in UTF-8.");
  }

  @Test
  void shouldLoadAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("run.yaml"), "train.steps: 7");

    assertThat(RunConfiguration.load(file, Map.of("seed", "3")).get(Options.TRAIN_STEPS))
        .isEqualTo(7);
  }

  @Test
  void shouldReadBackWhatItWrites() {
    RunConfiguration configuration =
        parse("model.pattern: [lightning, local]\ndata.path: 'a: b'\ntrain.learning-rate: 1e-9");

    assertThat(parse(configuration.toYaml())).isEqualTo(configuration);
    assertThat(configuration.toMap())
        .containsEntry("model.pattern", List.of("lightning", "local"))
        .containsEntry("kernel", "auto")
        .containsEntry("train.steps", 100)
        .hasSameSizeAs(Options.all());
  }

  @Test
  void shouldHashByValue() {
    RunConfiguration configuration = parse("train: {steps: 7}");

    assertThat(configuration.hash()).hasSize(64).isEqualTo(parse("train.steps: 7").hash());
    assertThat(configuration.with(Options.SEED, 2L).hash()).isNotEqualTo(configuration.hash());
    assertThat(configuration.with(Options.SEED, 2L).with(Options.SEED, 1L))
        .isEqualTo(configuration);
  }

  @Test
  void shouldCheckWhatIsChanged() {
    assertThatThrownBy(() -> RunConfiguration.defaults().with(Options.TRAIN_STEPS, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("train.steps");
    assertThatThrownBy(() -> RunConfiguration.defaults().with(Options.MODEL_HEADS, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("258 would do");
  }

  @Test
  void shouldAskForATextWithoutDefault() {
    assertThatThrownBy(() -> RunConfiguration.defaults().required(Options.DATA_PATH))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("data.path is not set");
    assertThat(parse("data.path: here").required(Options.DATA_PATH)).isEqualTo("here");
  }

  @Test
  void shouldTravelByJavaSerialization() throws Exception {
    RunConfiguration configuration = parse("model.pattern: [local]\nseed: 9");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(configuration);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat(in.readObject()).isEqualTo(configuration);
    }
  }

  private static RunConfiguration parse(String yaml) {
    return RunConfiguration.parse(yaml, "run.yaml", Map.of());
  }
}
