package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.executors.bench.DeterminismBench;

class BenchDeterminismCommandTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Two blocks of the grid, the second one short. */
  @Test
  void shouldFindTheSameBitsOnOneRankAndOnTwo() throws IOException {
    PrintStream terminal = System.out;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
    try {
      CommandRunner command =
          CommandRunner.run("bench", "determinism", "--ranks", "1,2", "--tokens", "600", "--json");
      assertThat(command.errors()).isEmpty();
      assertThat(command.exitCode()).isZero();
    } finally {
      System.setOut(terminal);
    }
    List<JsonNode> results = new ArrayList<>();
    for (String line : written.toString(StandardCharsets.UTF_8).lines().toList()) {
      results.add(MAPPER.readTree(line));
    }
    assertThat(results).extracting(result -> result.get("ranks").asInt()).containsExactly(1, 2);
    for (String digest : List.of("parameters_sha256", "losses_sha256")) {
      String first = results.get(0).get(digest).asText();
      assertThat(first).matches("[0-9a-f]{64}");
      assertThat(results.get(1).get(digest).asText()).isEqualTo(first);
    }
    assertThat(results.get(0).get("parameters_sha256"))
        .isNotEqualTo(results.get(0).get("losses_sha256"));
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.get("tokens_per_second").asDouble()).isPositive();
              assertThat(result.get("tokens_per_second_fast").asDouble()).isPositive();
            });
  }

  @Test
  void shouldTakeForTheSameOnlyWhatHasTheSameParametersAndTheSameLosses() {
    DeterminismBench.Result one = result("aa", "bb");
    assertThat(BenchDeterminismCommand.exitCode(List.of(one, result("aa", "bb")))).isZero();
    assertThat(BenchDeterminismCommand.exitCode(List.of(one, result("cc", "bb")))).isOne();
    assertThat(BenchDeterminismCommand.exitCode(List.of(one, result("aa", "cc")))).isOne();
  }

  private static DeterminismBench.Result result(String parameters, String losses) {
    return new DeterminismBench.Result(1, parameters, losses, 1, 1);
  }

  @Test
  void shouldRefuseASequenceWithoutTokens() {
    CommandRunner command = CommandRunner.run("bench", "determinism", "--tokens", "0");
    assertThat(command.exitCode()).isNotZero();
    assertThat(command.errors()).contains("--tokens is 0; it takes 1 or more.");
  }
}
