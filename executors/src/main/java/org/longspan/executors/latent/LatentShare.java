package org.longspan.executors.latent;

/**
 * What one tensor rank has of a latent attention. Each of its heads attends to each of its groups.
 *
 * @param firstGroup of the whole latent's groups
 * @param groups on this rank; for MLA the one that is the whole latent
 */
public record LatentShare(LatentShape shape, int firstHead, int heads, int firstGroup, int groups) {

  /** The latent's first column on this rank. */
  public int firstColumn() {
    return firstGroup * shape.groupColumns();
  }

  /** Columns of the latent on this rank. */
  public int columns() {
    return groups * shape.groupColumns();
  }

  /** Columns of what travels for a token: the normed latent and the rotated key. */
  public int latentWidth() {
    return columns() + shape.rope();
  }

  /** Columns of the queries of all heads. */
  public int queryColumns() {
    return heads * shape.keyWidth();
  }

  /** Columns of one group's outputs of all heads. */
  public int valueColumns() {
    return heads * shape.value();
  }

  /** How many softmaxes a token has here: heads times groups. */
  public int attentions() {
    return heads * groups;
  }

  /** Norms of a token's latent that this rank computes by itself or with the others. */
  public int norms() {
    return shape.sumsSquaresOverGroups() ? 1 : groups;
  }

  /**
   * Columns of the gradients that are summed over the tensor ranks for a token: of what queries are
   * projected from, of the latent where every rank has the whole of it, of the rotated key, and for
   * an exact norm over groups one number.
   */
  public int sharedGradientColumns() {
    int latent =
        switch (shape.form()) {
          case MLA -> columns();
          case TPLA, MLRA -> 0;
        };
    return shape.queryInput() + latent + shape.rope() + (shape.sumsSquaresOverGroups() ? 1 : 0);
  }
}
