package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.opencl.OpenClDevices;
import org.longspan.parallelism.mesh.Mesh;

/** Models with latent mixers whose attention is computed on an OpenCL device. */
class LatentDeviceModelTest {
  private static final int VOCABULARY = 11;
  private static final int BLOCK = 16;
  private static final int[] SEQUENCE = Ranks.sequence(131, VOCABULARY, 131);
  private static final int[] DOCUMENTS = {0, 16, 40, 41, 97};

  @BeforeAll
  static void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
  }

  private static Ranks ranks(String kernel, String... otherwise) {
    List<String> pairs =
        new ArrayList<>(
            List.of(
                "model.width", "24",
                "model.heads", "4",
                "model.layers", "2",
                "model.feed-forward", "10",
                "model.pattern", "[lightning, latent]",
                "model.latent.rank", "8",
                "model.latent.nope", "3",
                "model.latent.rope", "2",
                "model.latent.value", "5",
                "precision", "float",
                "kernel", kernel));
    pairs.addAll(List.of(otherwise));
    RunConfiguration configuration = Ranks.configuration(pairs.toArray(String[]::new));
    return new Ranks(configuration, VOCABULARY, BLOCK);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, false", "3, 1, true", "2, 2, false"})
  void shouldHaveTheGradientsOfTheProcessor(int sequence, int tensor, String recompute) {
    String[] form = {
      "model.latent.form", "tpla", "model.latent.groups", "2", "train.recompute", recompute
    };
    Mesh mesh = new Mesh(1, sequence, tensor);
    Ranks.Outcome processor = ranks("cpu", form).lossAndGradients(mesh, SEQUENCE, DOCUMENTS);

    ranks("aparapi", form).lossAndGradients(mesh, SEQUENCE, DOCUMENTS).assertClose(processor, 1e-5);
  }

  @Test
  void shouldBeTheSameToTheLastBitOnAnySequenceRanks() {
    Ranks ranks = ranks("aparapi", "deterministic", "true", "model.pattern", "[latent]");
    Ranks.Outcome one = ranks.train(1, SEQUENCE, DOCUMENTS).get(0);
    assertThat(ranks.train(3, SEQUENCE, DOCUMENTS))
        .allSatisfy(
            rank -> {
              assertThat(rank.loss()).isEqualTo(one.loss());
              one.numbers()
                  .forEach(
                      (name, values) ->
                          assertThat(rank.numbers().get(name)).as(name).containsExactly(values));
            });
  }

  @Test
  void shouldSayThatADeviceComputes() {
    List<String> descriptions =
        ranks("aparapi", "model.pattern", "[latent]")
            .run(1, SEQUENCE.length, setup -> setup.description());
    assertThat(descriptions.get(0)).contains("aparapi on ", "mla").doesNotContain("cpu");
  }
}
