package org.longspan.executors.bench;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;

/**
 * Trains a hybrid of all mixers with {@code deterministic: true}, and the same without, on some
 * number of sequence ranks.
 */
public final class DeterminismBench {
  private static final int STEPS = 10;

  private DeterminismBench() {}

  /**
   * What came out.
   *
   * @param parametersSha256 of the bits of all parameters after ten steps, in hexadecimal digits
   * @param lossesSha256 of the bits of the ten losses
   * @param tokensPerSecond of the median step
   * @param tokensPerSecondFast likewise, without {@code deterministic}
   */
  public record Result(
      int ranks,
      String parametersSha256,
      String lossesSha256,
      double tokensPerSecond,
      double tokensPerSecondFast) {}

  private record Training(String parametersSha256, String lossesSha256, double tokensPerSecond) {}

  /**
   * Measures.
   *
   * @param tokens of the sequence that the ranks share
   */
  public static Result run(int ranks, int tokens) {
    Training exact = train(ranks, tokens, true);
    Training fast = train(ranks, tokens, false);
    return new Result(
        ranks,
        exact.parametersSha256(),
        exact.lossesSha256(),
        exact.tokensPerSecond(),
        fast.tokensPerSecond());
  }

  private static Training train(int ranks, int tokens, boolean deterministic) {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / ranks);
    List<Training> ofRanks =
        LocalJob.run(
            BenchModel.hybrid(Map.of("deterministic", Boolean.toString(deterministic))),
            ranks,
            threads,
            tokens,
            job -> train(job, tokens));
    if (ofRanks.stream().map(Training::parametersSha256).distinct().count() != 1) {
      throw new IllegalStateException("The " + ranks + " ranks do not hold the same parameters");
    }
    return ofRanks.get(0);
  }

  private static Training train(LocalJob job, int tokens) {
    MessageDigest losses = sha256();
    double[] seconds = new double[STEPS];
    for (int step = 0; step < STEPS; step++) {
      long before = System.nanoTime();
      double loss = job.step(step);
      seconds[step] = (System.nanoTime() - before) / 1e9;
      losses.update(ByteBuffer.allocate(Double.BYTES).putDouble(0, loss));
    }
    Arrays.sort(seconds);
    MessageDigest parameters = sha256();
    for (Matrix values : job.setup().model().parameters().values()) {
      for (long row = 0; row < values.rows(); row++) {
        for (int column = 0; column < values.columns(); column++) {
          parameters.update(
              ByteBuffer.allocate(Double.BYTES).putDouble(0, values.get(row, column)));
        }
      }
    }
    return new Training(
        HexFormat.of().formatHex(parameters.digest()),
        HexFormat.of().formatHex(losses.digest()),
        tokens / seconds[STEPS / 2]);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
