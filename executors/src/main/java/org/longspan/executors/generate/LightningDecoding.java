package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.Slopes;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * Linear attention, a token at a time: its memory is the state, {@code [heads · headWidth,
 * headWidth]}, whatever was read.
 */
final class LightningDecoding implements DecodingMixer {
  private static final Documents TOKEN = Documents.one(1, 1);

  private final Numerics numerics;
  private final int width;
  private final int headWidth;
  private final LinearAttention attention;
  private final Matrix transition;
  private final Matrix state;
  private final Matrix summary;
  private final Matrix projected;
  private final Matrix activated;
  private final Matrix attended;
  private final Matrix gated;
  private final Matrix inverse;

  LightningDecoding(BlockShape shape, Numerics numerics, Arena arena, Workers workers) {
    this.numerics = numerics;
    this.width = shape.width();
    this.headWidth = width / shape.heads();
    this.attention =
        Kernels.linear(
            KernelChoice.CPU,
            numerics.precision(),
            new AttentionShape(shape.heads(), headWidth, headWidth),
            Slopes.of(shape.heads(), shape.layer(), shape.layers()),
            1,
            workers);
    this.transition = arena.matrix(width, 1);
    this.state = arena.matrix(width, headWidth);
    this.summary = arena.matrix(width, headWidth);
    this.projected = arena.matrix(1, 4 * width);
    this.activated = arena.matrix(1, 3 * width);
    this.attended = arena.matrix(1, width);
    this.gated = arena.matrix(1, width);
    this.inverse = arena.matrix(1, shape.heads());
  }

  @Override
  public void step(
      long position, Matrix normalized, Function<String, Matrix> parameters, Matrix stream) {
    numerics.products().multiply(normalized, parameters.apply("mixer.projection"), 0, projected);
    numerics.rows().silu(projected.columns(0, 3 * width), activated);
    LinearTensors inputs =
        LinearTensors.of(
            activated.columns(0, width),
            activated.columns(width, 2 * width),
            activated.columns(2 * width, 3 * width));
    attention.forward(inputs, TOKEN, attended);
    attention.addIncoming(inputs, state, TOKEN, attended);
    attention.summarize(inputs, TOKEN, summary, transition);
    for (int row = 0; row < width; row++) {
      numerics.rows().scale(transition.get(row, 0), state.rows(row, row + 1L));
    }
    numerics.rows().add(summary, state);
    numerics
        .rows()
        .normalizeAndGate(
            attended,
            projected.columns(3 * width, 4 * width),
            parameters.apply("mixer.norm"),
            gated,
            inverse);
    numerics.products().multiply(gated, parameters.apply("mixer.output"), 1, stream);
  }

  @Override
  public void close() {
    attention.close();
  }
}
