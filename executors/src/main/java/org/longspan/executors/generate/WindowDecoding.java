package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * Sliding-window attention, a token at a time. Keys and values of the window lie one after another
 * in room for two windows; where that is full, the last window moves to its start.
 */
final class WindowDecoding implements DecodingMixer {
  private final Numerics numerics;

  /** Columns of the heads that are here. */
  private final int width;

  private final int headWidth;
  private final int window;
  private final WindowAttention attention;
  private final Matrix projected;
  private final Matrix keys;
  private final Matrix values;
  private final Matrix attended;
  private final Matrix logSums;
  private int filled;

  WindowDecoding(
      BlockShape shape, TensorPlace place, Numerics numerics, Arena arena, Workers workers) {
    int heads = place.share(shape.heads()).length();
    this.numerics = numerics;
    this.headWidth = shape.width() / shape.heads();
    this.width = heads * headWidth;
    this.window = shape.window();
    this.attention =
        Kernels.window(
            KernelChoice.CPU,
            numerics.precision(),
            new AttentionShape(heads, headWidth, headWidth),
            window,
            workers);
    this.projected = arena.matrix(1, 3 * width);
    this.keys = arena.matrix(2L * window, width);
    this.values = arena.matrix(2L * window, width);
    this.attended = arena.matrix(1, width);
    this.logSums = arena.matrix(1, heads);
  }

  @Override
  public void step(
      ReadToken token, Matrix normalized, Function<String, Matrix> parameters, Matrix stream) {
    long position = token.position();
    numerics.products().multiply(normalized, parameters.apply("mixer.projection"), 0, projected);
    Matrix q = projected.columns(0, width);
    numerics.rows().rotate(q, position, headWidth, 1 / Math.sqrt(headWidth), q);
    if (filled == keys.rows()) {
      moveToStart();
    }
    numerics
        .rows()
        .rotate(
            projected.columns(width, 2 * width),
            position,
            headWidth,
            1,
            keys.rows(filled, filled + 1L));
    values.rows(filled, filled + 1L).set(projected.columns(2 * width, 3 * width));
    filled++;
    int first = Math.max(0, filled - window);
    attention.forward(
        q,
        keys.rows(first, filled),
        values.rows(first, filled),
        Documents.one(1, position),
        0,
        1,
        attended,
        logSums);
    numerics.products().multiply(attended, parameters.apply("mixer.output"), 1, stream);
  }

  private void moveToStart() {
    keys.rows(0, window).set(keys.rows(window, 2L * window));
    values.rows(0, window).set(values.rows(window, 2L * window));
    filled = window;
  }

  @Override
  public CacheSize cacheSize() {
    return new CacheSize(0, (keys.size() + values.size()) * numerics.precision().bytes());
  }

  @Override
  public void close() {
    attention.close();
  }
}
