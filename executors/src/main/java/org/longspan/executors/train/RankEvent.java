package org.longspan.executors.train;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * What a rank tells the driver, and what the driver finds out about a rank. Every rank reports
 * itself; all else only rank 0 does.
 */
public sealed interface RankEvent {

  /**
   * The rank is connected and about to work.
   *
   * @param kernel what computes its attention, with the device's name
   */
  record Ready(int rank, int attempt, String host, long process, int threads, String kernel)
      implements RankEvent {
    /** That of the rank of {@code context}, which runs in this process. */
    public static Ready of(RankContext context, String kernel) {
      String host;
      try {
        host = InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        host = "unknown";
      }
      return new Ready(
          context.transport().rank(),
          context.attempt(),
          host,
          ProcessHandle.current().pid(),
          context.threads(),
          kernel);
    }
  }

  /** An attempt has failed at this rank, as far as is known yet; {@code sentence} says why. */
  record Failed(int rank, int attempt, String host, String sentence) implements RankEvent {}

  /** The attempt goes on from a checkpoint; {@code step} steps are done. */
  record Resumed(int attempt, long step, String checkpoint) implements RankEvent {}

  /**
   * An optimizer step is done.
   *
   * @param step counted from 1
   * @param loss mean over the step's predicted tokens, in nats
   * @param tokens tokens that the step went through, over all ranks
   * @param seconds time that the step took
   * @param gradientNorm before clipping
   */
  record Step(
      long step, double loss, long tokens, double seconds, double gradientNorm, double learningRate)
      implements RankEvent {}

  /**
   * The validation split was gone through; {@code loss} is the mean over its {@code tokens}
   * predicted tokens, in nats.
   */
  record Validation(long step, double loss, long tokens) implements RankEvent {}

  /** Of {@code asked} values that were to be recalled, {@code right} were. */
  record Recall(long right, long asked) implements RankEvent {}

  /** A checkpoint is committed. */
  record Checkpoint(long step, String path) implements RankEvent {}
}
