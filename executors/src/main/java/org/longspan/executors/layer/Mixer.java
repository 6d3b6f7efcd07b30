package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/**
 * How tokens see the tokens before them. A decoder block takes it through its tiles twice, with
 * {@link #attend} over the whole slice between: project, attend, join; backward: join, attend,
 * project.
 *
 * <p>Threading: {@code project…} and {@code join…} are called by several workers for different
 * tiles at once, {@code attend…} by the rank's own thread.
 */
interface Mixer extends AutoCloseable {
  /** A slice begins; before its first {@link #project}, on the rank's own thread. */
  default void begin() {}

  /**
   * From {@code normalized} {@code [rows, width]}, the tile at {@code first}, to what attention
   * needs.
   */
  void project(int worker, int first, Matrix normalized, Parameters parameters);

  /** Attention over the slice, and the exchange with other ranks. */
  void attend(Parameters parameters);

  /**
   * What {@link #attend} left, again, after {@link #project} of every tile: with what came from
   * other ranks then, which was kept.
   */
  void attendAgain(Parameters parameters);

  /** Adds the tile's output to {@code stream} {@code [rows, width]}. */
  void join(int worker, int first, Matrix stream, Parameters parameters);

  /** From the gradient of what {@link #join} added to; adds to the gradients of its weights. */
  void joinGradient(int worker, int first, Matrix streamGradient, Parameters parameters);

  /**
   * The gradients of attention over the slice, and their exchange with other ranks; may add to
   * gradients of its weights that belong to no tile.
   */
  void attendGradient(Parameters parameters);

  /** {@code normalizedGradient} (overwritten); adds to the gradients of its weights. */
  void projectGradient(
      int worker, int first, Matrix normalized, Matrix normalizedGradient, Parameters parameters);

  /**
   * Whether {@link #projectGradient} gives the whole gradient on each tensor rank; else it gives
   * the rank's part of a sum over them.
   */
  default boolean givesWholeGradients() {
    return false;
  }

  /** What computes it. */
  String description();

  @Override
  void close();
}
