package org.longspan.executors.latent;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * One tensor rank's weights of a latent attention, or their gradients. Whole on every rank are
 * those through which the latents come about; the others hold the rank's heads or groups.
 *
 * @param queryDown {@code [width, queryRank]}; null without a query latent
 * @param queryGain {@code [1, queryRank]}; null without a query latent
 * @param queryUp {@code [queryInput, heads · nope]}
 * @param queryRope {@code [queryInput, heads · rope]}
 * @param latentDown {@code [width, rank]}, whole: the input's gradient needs all columns; of its
 *     gradient a rank has its own columns
 * @param latentGain {@code [1, columns]}
 * @param keyRope {@code [width, rope]}
 * @param keyUp {@code [columns, heads · nope]}
 * @param valueUp {@code [columns, heads · value]}
 * @param output {@code [heads · value, width]}
 * @param contentScale {@code [1, groups]}: what multiplies the scores of each group's content; null
 *     but for TPLA
 * @param estimates {@code [1, groups]}: by what each group's squares are multiplied to estimate
 *     those of the whole latent, a constant; null but for TPLA with the local norm
 */
public record LatentWeights(
    Matrix queryDown,
    Matrix queryGain,
    Matrix queryUp,
    Matrix queryRope,
    Matrix latentDown,
    Matrix latentGain,
    Matrix keyRope,
    Matrix keyUp,
    Matrix valueUp,
    Matrix output,
    Matrix contentScale,
    Matrix estimates) {

  /** The whole of all weights of a shape, zero. */
  public static LatentWeights whole(LatentShape shape, Arena arena) {
    boolean hasQueryLatent = shape.queryRank() > 0;
    int input = shape.queryInput();
    return new LatentWeights(
        hasQueryLatent ? arena.matrix(shape.width(), shape.queryRank()) : null,
        hasQueryLatent ? arena.matrix(1, shape.queryRank()) : null,
        arena.matrix(input, shape.heads() * shape.nope()),
        arena.matrix(input, shape.heads() * shape.rope()),
        arena.matrix(shape.width(), shape.rank()),
        arena.matrix(1, shape.rank()),
        arena.matrix(shape.width(), shape.rope()),
        arena.matrix(shape.rank(), shape.heads() * shape.nope()),
        arena.matrix(shape.rank(), shape.heads() * shape.value()),
        arena.matrix((long) shape.heads() * shape.value(), shape.width()),
        shape.form() == LatentForm.TPLA ? arena.matrix(1, shape.groups()) : null,
        shape.estimatesNorms() ? arena.matrix(1, shape.groups()) : null);
  }

  /** What one rank has of these weights, which are whole; shared. */
  public LatentWeights of(LatentShare share) {
    LatentShape shape = share.shape();
    int firstColumn = share.firstColumn();
    int lastColumn = firstColumn + share.columns();
    return new LatentWeights(
        queryDown,
        queryGain,
        heads(share, queryUp, shape.nope()),
        heads(share, queryRope, shape.rope()),
        latentDown,
        latentGain.columns(firstColumn, lastColumn),
        keyRope,
        heads(share, keyUp.rows(firstColumn, lastColumn), shape.nope()),
        heads(share, valueUp.rows(firstColumn, lastColumn), shape.value()),
        output.rows(
            (long) share.firstHead() * shape.value(),
            (long) (share.firstHead() + share.heads()) * shape.value()),
        groups(share, contentScale),
        groups(share, estimates));
  }

  private static Matrix groups(LatentShare share, Matrix ofGroups) {
    return ofGroups == null
        ? null
        : ofGroups.columns(share.firstGroup(), share.firstGroup() + share.groups());
  }

  private static Matrix heads(LatentShare share, Matrix weights, int width) {
    return weights.columns(share.firstHead() * width, (share.firstHead() + share.heads()) * width);
  }

  /** Those that are there and trained by their names in formulas, in their order. */
  public Map<String, Matrix> named() {
    Map<String, Matrix> all = new LinkedHashMap<>();
    all.put("wdq", queryDown);
    all.put("gamma_q", queryGain);
    all.put("wuq", queryUp);
    all.put("wqr", queryRope);
    all.put("wdkv", latentDown);
    all.put("gamma", latentGain);
    all.put("wkr", keyRope);
    all.put("wuk", keyUp);
    all.put("wuv", valueUp);
    all.put("wo", output);
    all.put("mu", contentScale);
    all.values().removeIf(matrix -> matrix == null);
    return all;
  }

  /**
   * Whether each tensor rank comes to the whole gradient of the weight {@code name} by itself; what
   * ranks have of the others adds up to it.
   */
  public static boolean isCompleteOnEachRank(LatentForm form, String name) {
    return switch (form) {
      case MLA -> Set.of("wdq", "gamma_q", "wdkv", "gamma", "wkr").contains(name);
      case TPLA, MLRA -> Set.of("wdq", "gamma_q", "wkr").contains(name);
    };
  }
}
