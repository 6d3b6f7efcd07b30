package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.executors.bench.LatentBench;
import org.longspan.executors.bench.ScalingBench;
import org.longspan.executors.bench.collective.CollectiveResult;
import org.longspan.executors.bench.collective.TransportResult;
import org.longspan.executors.bench.overlap.OverlapBench;
import org.longspan.executors.bench.recall.RecallSettings;
import org.longspan.executors.bench.recall.RecallTask;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.latent.LatentPlan.Sharing;
import org.longspan.executors.layer.RankMode.Exchange;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Protection;

class BenchJsonTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Test
  void shouldNameWhatWasMeasuredOfACollective() throws JsonProcessingException {
    JsonNode object =
        MAPPER.readTree(
            BenchCollectivesCommand.json(
                new CollectiveResult(
                    "scan-chain", 8, 1 << 20, 0.004, 1 << 20, 0.25, 0.005, "chain in 6 blocks")));
    assertThat(object.fieldNames())
        .toIterable()
        .containsExactly(
            "collective", "ranks", "state_bytes", "median_ms", "received_bytes", "ratio");
    assertThat(object.get("median_ms").asDouble()).isEqualTo(4);
    assertThat(object.get("state_bytes").asLong()).isEqualTo(1 << 20);
  }

  @Test
  void shouldNameWhatWasMeasuredOfTheTransport() throws JsonProcessingException {
    JsonNode object =
        MAPPER.readTree(
            BenchCollectivesCommand.json(
                new TransportResult("transport", Protection.ENCRYPTED, 1.5, 90, 0.75)));
    assertThat(object.fieldNames())
        .toIterable()
        .containsExactly(
            "collective", "protection", "gigabytes_per_second", "microseconds", "ratio");
    assertThat(object.get("collective").asText()).isEqualTo("transport");
  }

  @Test
  void shouldTellTheRanksFromTheLengths() throws JsonProcessingException {
    ScalingBench.Result result = recomputed();
    JsonNode ranks =
        MAPPER.readTree(BenchScalingCommand.json(BenchScalingCommand.Part.RANKS, result, 1.05));
    assertThat(ranks.fieldNames())
        .toIterable()
        .containsExactly(
            "part",
            "ranks",
            "threads",
            "tokens",
            "recompute",
            "memory_mb",
            "cpu_seconds_per_token",
            "tokens_per_second",
            "ratio");
    assertThat(ranks.get("part").asText()).isEqualTo("ranks");
    assertThat(ranks.get("recompute").asBoolean()).isTrue();
    JsonNode length =
        MAPPER.readTree(BenchScalingCommand.json(BenchScalingCommand.Part.LENGTH, result, 0.95));
    assertThat(length.get("part").asText()).isEqualTo("length");
    assertThat(length.get("ratio").asDouble()).isEqualTo(0.95);
  }

  @Test
  void shouldTakeTheMedianOfTheRatiosOfEachTurn() {
    List<ScalingBench.Result> one = List.of(taking(1e-4), taking(2e-4), taking(1e-4));
    List<ScalingBench.Result> four = List.of(taking(1.1e-4), taking(2.1e-4), taking(3e-4));
    assertThat(BenchScalingCommand.medianRatio(four, one)).isCloseTo(1.1, within(1e-12));
    assertThat(BenchScalingCommand.medianRatio(four.subList(0, 2), one))
        .isCloseTo(1.075, within(1e-12));
    assertThat(taking(2e-4).best(taking(1e-4)).cpuSecondsPerToken()).isEqualTo(1e-4);
  }

  private static ScalingBench.Result taking(double seconds) {
    return new ScalingBench.Result(4, 1, 8_192, LayerMemory.KEEP, 1, seconds, 1 / seconds);
  }

  private static ScalingBench.Result recomputed() {
    return new ScalingBench.Result(2, 1, 8_192, LayerMemory.RECOMPUTE, 100 << 20, 1e-4, 16_000);
  }

  @Test
  void shouldSayWhatRecomputingCostsAndSaves() {
    ScalingBench.Result kept =
        new ScalingBench.Result(2, 1, 8_192, LayerMemory.KEEP, 250 << 20, 1e-4, 20_000);
    assertThat(BenchScalingCommand.recomputation(kept, recomputed()))
        .isEqualTo(
            "At 8,192 tokens train.recompute costs 20 % of the tokens/s and saves 60 % of the"
                + " memory beside the heap (150 of 250 MiB).");
  }

  @Test
  void shouldSayHowEvenlyRanksAttend() throws JsonProcessingException {
    LatentBench.Rank first = new LatentBench.Rank(0.1, 0.1, 100);
    LatentBench.Rank second = new LatentBench.Rank(0.2, 0.4, 140);
    JsonNode object =
        MAPPER.readTree(
            BenchLatentCommand.json(
                new LatentBench.Result(Sharing.BALANCED, 8_192, List.of(first, second))));
    assertThat(object.fieldNames())
        .toIterable()
        .containsExactly(
            "work",
            "tokens",
            "most_pairs_of_mean",
            "slowest_of_mean",
            "forward_seconds",
            "backward_seconds");
    assertThat(object.get("work").asText()).isEqualTo("shared");
    assertThat(object.get("slowest_of_mean").asDouble()).isCloseTo(1.5, within(1e-12));
    assertThat(object.get("most_pairs_of_mean").asDouble()).isCloseTo(140 / 120.0, within(1e-12));
    assertThat(object.get("backward_seconds").get(1).asDouble()).isEqualTo(0.4);
  }

  @Test
  void shouldNameTheHiddenShare() throws JsonProcessingException {
    JsonNode object =
        MAPPER.readTree(
            BenchOverlapCommand.json(
                new OverlapBench.Result(
                    ScanDirection.BACKWARD,
                    16_384,
                    new AttentionShape(4, 64, 64),
                    0.05,
                    0.002,
                    0.0505,
                    0.0005,
                    0.003,
                    0.5,
                    0.001,
                    "chain in 1 block")));
    assertThat(object.get("hidden_share").asDouble()).isEqualTo(0.5);
    assertThat(object.get("added_ms").asDouble()).isCloseTo(0.5, within(1e-9));
    assertThat(object.get("displaced_ms").asDouble()).isEqualTo(1);
    assertThat(object.get("in_flight_ms").asDouble()).isEqualTo(3);
    assertThat(object.get("direction").asText()).isEqualTo("backward");
  }

  @Test
  void shouldNameWhatWasRecalled() throws JsonProcessingException {
    RecallProof.Result result = recall(Exchange.CUT, 128);
    JsonNode object = MAPPER.readTree(BenchRecallCommand.json(result));
    assertThat(object.fieldNames())
        .toIterable()
        .containsExactly(
            "mixer",
            "ranks",
            "processes",
            "tokens_per_rank",
            "exchange",
            "accuracy",
            "chance",
            "asked",
            "steps",
            "seed",
            "seconds");
    assertThat(object.get("mixer").asText()).isEqualTo("simple-gla");
    assertThat(object.get("exchange").asBoolean()).isFalse();
    assertThat(object.get("steps").asLong()).isEqualTo(80);
    assertThat(object.get("accuracy").asDouble()).isEqualTo(0.0625);
    assertThat(object.get("chance").asDouble()).isEqualTo(0.0625);
  }

  @Test
  void shouldTakeForAProofOnlyWhatIsRightWithTheExchangeAndLuckWithout() {
    assertThat(recall(Exchange.WHOLE, 1_946).holds()).isTrue();
    assertThat(recall(Exchange.WHOLE, 1_945).holds()).isFalse();
    assertThat(recall(Exchange.CUT, 0).holds()).isTrue();
    assertThat(recall(Exchange.CUT, 171).holds()).isTrue();
    assertThat(recall(Exchange.CUT, 172).holds()).isFalse();
    assertThat(recall(1, Exchange.WHOLE, 2_048).holds()).as("in one process").isFalse();
    assertThat(recall(1, Exchange.CUT, 0).holds()).as("in one process").isFalse();
  }

  private static RecallProof.Result recall(Exchange exchange, long right) {
    return recall(2, exchange, right);
  }

  private static RecallProof.Result recall(int processes, Exchange exchange, long right) {
    return new RecallProof.Result(
        new RecallSettings(new RecallTask(2, 64, 1), MixerKind.SIMPLE_GLA, 100, exchange),
        processes,
        80,
        right,
        2_048,
        30);
  }
}
