package org.longspan.executors.crosscheck;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/**
 * Takes one sequence through a checkpoint's model, forward and backward, over ranks that are
 * threads of this process, and writes what goes in and what comes out as safetensors.
 *
 * <p>In the file: {@code tokens}, {@code targets} (the token after each, or −1 where a document
 * ends) and {@code document_starts}; {@code logits} {@code [rows, vocabulary]} of the first tokens
 * of each rank's slice, at {@code logit_positions}; {@code loss}, the mean over the predicted
 * tokens in nats; and its gradient by every parameter, {@code gradient.NAME}. All are F64.
 */
public final class CrossCheck {
  private static final Duration TIME_LIMIT = Duration.ofMinutes(10);

  /**
   * What was found.
   *
   * @param loss the mean over {@code predicted} tokens, in nats
   */
  public record Summary(long tokens, long predicted, double loss) {}

  private final CrossCheckOptions options;
  private final Checkpoint checkpoint;
  private final int block;

  /**
   * @param block tokens in a block of the grid on which the sequence is cut
   */
  CrossCheck(CrossCheckOptions options, Checkpoint checkpoint, int block) {
    this.options = options;
    this.checkpoint = checkpoint;
    this.block = block;
  }

  /** Runs it on the first sequence of the dataset's validation split. */
  public static Summary run(Configuration hadoop, CrossCheckOptions options) throws IOException {
    Checkpoint checkpoint = Checkpoint.open(hadoop, options.checkpoint());
    Dataset dataset = Dataset.open(hadoop, options.data());
    dataset.requireTokenizer(checkpoint.manifest().tokenizer(), checkpoint.manifest().vocabulary());
    return new CrossCheck(options, checkpoint, RankSetup.BLOCK)
        .run(TokenBatch.read(dataset, options.tokens()));
  }

  /** Runs it on {@code batch}. */
  Summary run(TokenBatch batch) throws IOException {
    List<RankResult> ranks = ranks(batch);
    long predicted = ranks.stream().mapToLong(rank -> rank.input().predicted()).sum();
    double mean = 1.0 / Math.max(1, predicted);
    double loss = mean * ranks.stream().mapToDouble(RankResult::loss).sum();
    try (BatchFile file = new BatchFile()) {
      file.add(
          "tokens",
          doubles(ranks.stream().flatMapToInt(rank -> Arrays.stream(rank.input().tokens()))));
      file.add(
          "targets",
          doubles(ranks.stream().flatMapToInt(rank -> Arrays.stream(rank.input().targets()))));
      file.add("document_starts", doubles(Arrays.stream(batch.documentStarts())));
      addLogits(file, ranks);
      file.add("loss", loss);
      addGradients(file, ranks, mean);
      file.write(options.output(), metadata());
    }
    return new Summary(batch.length(), predicted, loss);
  }

  private List<RankResult> ranks(TokenBatch batch) {
    RunConfiguration configuration =
        checkpoint
            .configuration()
            // First to what goes with any precision, then to what was asked for.
            .with(Options.KERNEL, KernelChoice.CPU)
            .with(Options.PRECISION, options.precision())
            .with(Options.KERNEL, options.kernel());
    return LocalRanks.run(
        InProcessTransport.connect(options.ranks(), TIME_LIMIT),
        transport -> {
          try (RankSetup setup =
              new RankSetup(
                  configuration,
                  checkpoint.shape(),
                  new Mesh(1, options.ranks(), 1),
                  transport,
                  1,
                  batch.length(),
                  block)) {
            checkpoint.readParameters(setup.model());
            return RankResult.of(
                setup, batch.slice(setup.rank().sequence(), options.ranks(), block));
          } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
          }
        });
  }

  private void addLogits(BatchFile file, List<RankResult> ranks) {
    List<double[]> rows = new ArrayList<>();
    IntStream.Builder positions = IntStream.builder();
    for (RankResult rank : ranks) {
      int first = Math.toIntExact(rank.input().firstPosition());
      IntStream.range(0, rank.logits().size()).forEach(row -> positions.add(first + row));
      rows.addAll(rank.logits());
    }
    file.add("logit_positions", doubles(positions.build()));
    file.add("logits", rows, checkpoint.manifest().vocabulary());
  }

  private static void addGradients(BatchFile file, List<RankResult> ranks, double mean) {
    Map<String, List<double[]>> sums = new LinkedHashMap<>();
    for (RankResult rank : ranks) {
      rank.gradients().forEach((name, rows) -> sums.merge(name, rows, CrossCheck::sum));
    }
    sums.forEach(
        (name, rows) -> {
          List<double[]> means =
              rows.stream().map(row -> Arrays.stream(row).map(x -> mean * x).toArray()).toList();
          file.add("gradient." + name, means, means.get(0).length);
        });
  }

  private static List<double[]> sum(List<double[]> a, List<double[]> b) {
    List<double[]> sums = new ArrayList<>();
    for (int row = 0; row < a.size(); row++) {
      double[] left = a.get(row);
      double[] right = b.get(row);
      sums.add(IntStream.range(0, left.length).mapToDouble(i -> left[i] + right[i]).toArray());
    }
    return sums;
  }

  private static double[] doubles(IntStream numbers) {
    return numbers.asDoubleStream().toArray();
  }

  private Map<String, String> metadata() {
    return Map.of(
        "checkpoint_step", Long.toString(checkpoint.manifest().step()),
        "ranks", Integer.toString(options.ranks()),
        "kernel", options.kernel().name().toLowerCase(Locale.ROOT),
        "precision", options.precision().name().toLowerCase(Locale.ROOT));
  }
}
