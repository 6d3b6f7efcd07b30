package org.longspan.executors.bench.kernel;

import java.util.Locale;
import org.longspan.executors.kernel.AttentionShape;

/** A kernel that is measured, and what its arithmetic comes to. */
public enum BenchedKernel {
  /** Linear attention with a constant decay for each head. */
  LIGHTNING,
  /** With a gate for each head and token. */
  SIMPLE_GLA,
  /** With a gate for each key column and token. */
  GLA,
  /** The gated delta rule. */
  GATED_DELTA,
  /** Softmax over a sliding window. */
  LOCAL,
  /** Dense causal softmax with keys of 192 columns and values of 128. */
  LATENT;

  /** Tokens of a chunk of the linear kernels, whatever a form really takes. */
  static final int CHUNK = 64;

  private static final int LATENT_KEYS = 192;
  private static final int LATENT_VALUES = 128;

  /** The name in tables and options. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The widths of its heads where the others have {@code width}. */
  AttentionShape shape(int heads, int width) {
    return this == LATENT
        ? new AttentionShape(heads, LATENT_KEYS, LATENT_VALUES)
        : new AttentionShape(heads, width, width);
  }

  /** Whether it is softmax attention. */
  boolean isSoftmax() {
    return this == LOCAL || this == LATENT;
  }

  /** Tokens that a token sees at most. */
  int window(int tokens, int window) {
    return this == LATENT ? tokens : Math.min(tokens, window);
  }

  /** Floating-point operations of one pass, a multiplication and an addition counted apart. */
  double operations(KernelPass pass, AttentionShape shape, int tokens, int window) {
    double keys = shape.keyWidth();
    double values = shape.valueWidth();
    if (isSoftmax()) {
      double span = window(tokens, window);
      double pairs = span * (span + 1) / 2 + (tokens - span) * span;
      return switch (pass) {
        case FORWARD -> 2 * pairs * shape.heads() * (keys + values);
        case BACKWARD -> 2 * pairs * shape.heads() * (3 * keys + 2 * values);
      };
    }
    // Products with states, and those of pairs in a chunk, of which a token has (CHUNK + 1) / 2.
    double state = 2 * keys * values;
    double pairs = CHUNK + 1.0;
    double ofToken =
        switch (pass) {
          case FORWARD ->
              this == GATED_DELTA
                  ? 3 * state + pairs * (2 * keys + 2 * values)
                  : 2 * state + pairs * (keys + values);
          case BACKWARD ->
              this == GATED_DELTA
                  ? 8 * state + pairs * (6 * keys + 5 * values)
                  : 5 * state + pairs * (3 * keys + 2 * values);
        };
    return ofToken * tokens * shape.heads();
  }

  /**
   * Bytes of what one pass reads and writes, each number once; gates and sums are float.
   *
   * @param numberBytes of every other number
   */
  double bytes(KernelPass pass, AttentionShape shape, int tokens, int numberBytes) {
    double keys = shape.keyWidth();
    double values = shape.valueWidth();
    double gates =
        switch (this) {
          case LIGHTNING, LOCAL, LATENT -> 0;
          case SIMPLE_GLA -> 1;
          case GLA -> keys;
          case GATED_DELTA -> 2;
        };
    double sums = isSoftmax() ? 1 : 0;
    double numbers =
        switch (pass) {
          case FORWARD -> 2 * keys + 2 * values;
          case BACKWARD -> 4 * keys + 3 * values + (isSoftmax() ? values : 0);
        };
    double floats =
        switch (pass) {
          case FORWARD -> gates + sums;
          case BACKWARD -> 2 * gates + sums;
        };
    return (numbers * numberBytes + floats * Float.BYTES) * tokens * shape.heads();
  }
}
