package org.longspan.executors.train;

/**
 * What a rank tells the driver. Only rank 0 reports steps, validations and checkpoints; every rank
 * reports itself.
 */
public sealed interface RankEvent {

  /**
   * The rank is connected and about to work.
   *
   * @param kernel what computes its attention, with the device's name
   */
  record Ready(int rank, int attempt, String host, long process, int threads, String kernel)
      implements RankEvent {}

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

  /** A checkpoint is committed. */
  record Checkpoint(long step, String path) implements RankEvent {}
}
