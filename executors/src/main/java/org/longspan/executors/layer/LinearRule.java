package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.GateWidth;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.TransitionKind;

/**
 * How a linear mixer's state changes from token to token, and what its projection is turned into
 * for that: q, k and v by SiLU; logs of gates {@code log σ(z + bias) / 16} (GLA, arXiv 2312.06635);
 * for the delta rule q and k of length one in each head and {@code β = σ(z)} (arXiv 2412.06464).
 */
public enum LinearRule {
  /** A constant decay for each head. */
  CONSTANT,
  /** A gate for each head and token. */
  SCALAR_GATE,
  /** A gate for each key column and token. */
  VECTOR_GATE,
  /** The gated delta rule. */
  DELTA;

  /** That of a linear mixer. */
  public static LinearRule of(MixerKind mixer) {
    return switch (mixer) {
      case LIGHTNING -> CONSTANT;
      case SIMPLE_GLA -> SCALAR_GATE;
      case GLA -> VECTOR_GATE;
      case GATED_DELTA -> DELTA;
      case LOCAL, LATENT ->
          throw new IllegalArgumentException("A mixer of " + mixer + " has no state");
    };
  }

  /** Columns of the gates; 0 where the decay is constant. */
  public int gateColumns(int width, int heads) {
    return switch (this) {
      case CONSTANT -> 0;
      case SCALAR_GATE, DELTA -> heads;
      case VECTOR_GATE -> width;
    };
  }

  /** Columns of β; 0 outside the delta rule. */
  public int betaColumns(int heads) {
    return switch (this) {
      case CONSTANT, SCALAR_GATE, VECTOR_GATE -> 0;
      case DELTA -> heads;
    };
  }

  /** What a stretch of tokens multiplies a state with. */
  public TransitionKind transitionKind() {
    return switch (this) {
      case CONSTANT, SCALAR_GATE, VECTOR_GATE -> TransitionKind.DIAGONAL;
      case DELTA -> TransitionKind.MATRIX;
    };
  }

  /** Columns of the projection: q, k, v, output gate, gates, β. */
  public int projectionColumns(int width, int heads) {
    return 4 * width + gateColumns(width, heads) + betaColumns(heads);
  }

  /**
   * The kernel for a block of this rule.
   *
   * @param own the heads that it computes of the block's
   * @param chunk tokens worked through at once
   */
  public LinearAttention attention(
      KernelChoice choice,
      Precision precision,
      BlockShape shape,
      Span own,
      int chunk,
      Workers workers) {
    int headWidth = shape.width() / shape.heads();
    AttentionShape heads = new AttentionShape(own.length(), headWidth, headWidth);
    return switch (this) {
      case CONSTANT -> Kernels.linear(choice, precision, heads, slopes(shape, own), chunk, workers);
      case SCALAR_GATE -> Kernels.gated(choice, precision, heads, GateWidth.SCALAR, chunk, workers);
      case VECTOR_GATE -> Kernels.gated(choice, precision, heads, GateWidth.VECTOR, chunk, workers);
      case DELTA -> Kernels.delta(choice, precision, heads, chunk, workers);
    };
  }

  /** Those of the heads {@code own}, which are numbered over the whole block. */
  private static double[] slopes(BlockShape shape, Span own) {
    double[] all = Slopes.of(shape.heads(), shape.layer(), shape.layers());
    return Arrays.copyOfRange(all, own.from(), own.to());
  }

  /**
   * Which columns of the projection of a whole block belong to the heads {@code own}: some of each
   * of q, k, v, output gate, gates and β.
   */
  Side projectionSide(int width, int heads, Span own) {
    int headWidth = width / heads;
    List<Span> held = new ArrayList<>();
    int from = 0;
    for (int part = 0; part < 4; part++) {
      held.add(own.times(headWidth).shifted(from));
      from += width;
    }
    for (int columns : new int[] {gateColumns(width, heads), betaColumns(heads)}) {
      held.add(own.times(columns / heads).shifted(from));
      from += columns;
    }
    return new Side(from, held);
  }

  /**
   * From the projection of some tokens to what the kernel reads.
   *
   * @param projected {@code [rows, projectionColumns]}
   * @param bias of the gates, {@code [1, gateColumns]}; null where there are none
   */
  public void activate(
      Numerics numerics, int heads, Matrix projected, Matrix bias, LinearTensors out) {
    int width = out.q().columns();
    numerics.rows().silu(projected.columns(0, width), out.q());
    numerics.rows().silu(projected.columns(width, 2 * width), out.k());
    numerics.rows().silu(projected.columns(2 * width, 3 * width), out.v());
    if (this == CONSTANT) {
      return;
    }
    numerics.gates().logGates(gates(projected, width, heads), bias, out.gates());
    if (this == DELTA) {
      numerics.gates().unitHeads(out.q(), width / heads, out.q());
      numerics.gates().unitHeads(out.k(), width / heads, out.k());
      numerics.gates().sigmoid(betas(projected, width, heads), out.beta());
    }
  }

  /**
   * The gradient of {@link #activate}.
   *
   * @param gradients what the kernel gave; its q, k and v may be columns of {@code
   *     projectedGradient}, in whose first three parts they belong
   * @param scratch {@code [rows, 2 · width]}
   * @param projectedGradient its columns from {@code 4 · width} on are overwritten as well
   * @param biasGradient added to; null where there are no gates
   */
  void activateGradient(
      Numerics numerics,
      int heads,
      Matrix projected,
      Matrix bias,
      LinearTensors gradients,
      Matrix scratch,
      Matrix projectedGradient,
      Matrix biasGradient) {
    int width = gradients.q().columns();
    if (this != CONSTANT) {
      numerics
          .gates()
          .logGatesGradient(
              gates(projected, width, heads),
              bias,
              gradients.gates(),
              gates(projectedGradient, width, heads),
              biasGradient);
    }
    if (this == DELTA) {
      numerics
          .gates()
          .sigmoidGradient(
              betas(projected, width, heads),
              gradients.beta(),
              betas(projectedGradient, width, heads));
      numerics.rows().silu(projected.columns(0, 2 * width), scratch);
      numerics
          .gates()
          .unitHeadsGradient(scratch, width / heads, projectedGradient.columns(0, 2 * width));
    }
    numerics
        .rows()
        .siluGradient(projected.columns(0, 3 * width), projectedGradient.columns(0, 3 * width));
  }

  private Matrix gates(Matrix projection, int width, int heads) {
    return projection.columns(4 * width, 4 * width + gateColumns(width, heads));
  }

  private Matrix betas(Matrix projection, int width, int heads) {
    int from = 4 * width + gateColumns(width, heads);
    return projection.columns(from, from + betaColumns(heads));
  }
}
