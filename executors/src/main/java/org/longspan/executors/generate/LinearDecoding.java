package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.layer.Span;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * Linear attention, a token at a time: its memory is the state of the heads that are here, {@code
 * [heads · headWidth, headWidth]}, whatever was read.
 */
final class LinearDecoding implements DecodingMixer {
  private static final Documents TOKEN = Documents.one(1, 1);

  private final Numerics numerics;

  /** Columns of the heads that are here. */
  private final int width;

  private final int heads;
  private final LinearRule rule;
  private final LinearAttention attention;
  private final Matrix transition;
  private final Matrix state;
  private final Matrix next;
  private final Matrix projected;
  private final LinearTensors activated;
  private final Matrix attended;
  private final Matrix gated;
  private final Matrix inverse;

  LinearDecoding(
      BlockShape shape, TensorPlace place, Numerics numerics, Arena arena, Workers workers) {
    Span own = place.share(shape.heads());
    int headWidth = shape.width() / shape.heads();
    this.numerics = numerics;
    this.heads = own.length();
    this.width = heads * headWidth;
    this.rule = LinearRule.of(shape.mixer());
    this.attention = rule.attention(KernelChoice.CPU, numerics.precision(), shape, own, 1, workers);
    int gates = rule.gateColumns(width, heads);
    int betas = rule.betaColumns(heads);
    this.transition = arena.matrix(width, attention.transitionColumns());
    this.state = arena.matrix(width, headWidth);
    this.next = arena.matrix(width, headWidth);
    this.projected = arena.matrix(1, rule.projectionColumns(width, heads));
    this.activated =
        new LinearTensors(
            arena.matrix(1, width),
            arena.matrix(1, width),
            arena.matrix(1, width),
            gates == 0 ? null : arena.matrix(1, gates),
            betas == 0 ? null : arena.matrix(1, betas));
    this.attended = arena.matrix(1, width);
    this.gated = arena.matrix(1, width);
    this.inverse = arena.matrix(1, heads);
  }

  @Override
  public void step(
      ReadToken token, Matrix normalized, Function<String, Matrix> parameters, Matrix stream) {
    numerics.products().multiply(normalized, parameters.apply("mixer.projection"), 0, projected);
    Matrix bias = rule.gateColumns(width, heads) == 0 ? null : parameters.apply("mixer.gate-bias");
    rule.activate(numerics, heads, projected, bias, activated);
    attention.forward(activated, TOKEN, attended);
    attention.addIncoming(activated, state, TOKEN, attended);
    attention.summarize(activated, TOKEN, next, transition);
    addTransition();
    state.set(next);
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

  /** {@code next += Γ · state}. */
  private void addTransition() {
    int headWidth = width / heads;
    switch (rule.transitionKind()) {
      case DIAGONAL -> {
        for (int row = 0; row < width; row++) {
          numerics.rows().scale(transition.get(row, 0), state.rows(row, row + 1L));
        }
        numerics.rows().add(state, next);
      }
      case MATRIX -> {
        for (int first = 0; first < width; first += headWidth) {
          int last = first + headWidth;
          numerics
              .products()
              .multiply(
                  transition.rows(first, last), state.rows(first, last), 1, next.rows(first, last));
        }
      }
    }
  }

  @Override
  public CacheSize cacheSize() {
    return new CacheSize(0, state.size() * numerics.precision().bytes());
  }

  @Override
  public void close() {
    attention.close();
  }
}
