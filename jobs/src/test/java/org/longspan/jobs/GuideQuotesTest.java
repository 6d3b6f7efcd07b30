package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GuideQuotesTest {
  private static final String TOO_FEW =
      "longspan train: The mesh needs 5 ranks (mesh.data 1, mesh.sequence 5, mesh.tensor 1), and the"
          + " cluster has 4 slots; lower mesh.sequence or mesh.data, or add executors.";

  @Test
  void shouldTakeAnotherRunsNumbersAndNoOtherWords() {
    assertThatCode(() -> GuideQuotes.assertQuoted(TOO_FEW + "\n")).doesNotThrowAnyException();
    assertThatThrownBy(() -> GuideQuotes.assertQuoted(TOO_FEW.replace("slots", "places")))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldTakeAnythingForAnEllipsis() {
    assertThatCode(
            () ->
                GuideQuotes.assertQuoted(
                    "longspan submit failed: The Kubernetes API server https://127.0.0.1:45123 does"
                        + " not answer (Connection refused); look at the current context of your"
                        + " kubeconfig, or name another one with --context."))
        .doesNotThrowAnyException();
  }
}
