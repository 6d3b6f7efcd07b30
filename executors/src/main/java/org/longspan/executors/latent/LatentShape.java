package org.longspan.executors.latent;

import java.util.Optional;

/**
 * The sizes of one latent attention.
 *
 * @param width columns of what goes in and comes out
 * @param heads of the whole model
 * @param queryRank columns of the queries' latent; 0 for none: queries come straight from the input
 * @param rank columns of the latent of keys and values
 * @param nope columns of a head's queries and keys without positions
 * @param rope columns of a head's queries and of the one shared key with rotary positions; even
 * @param value columns of a head's values
 * @param groups that the latent is cut into; 1 for MLA
 * @param theta base of the rotary angles: pair {@code (2i, 2i+1)} turns by {@code position ·
 *     theta^(−2i/rope)}
 * @param epsilon of the norms
 */
public record LatentShape(
    int width,
    int heads,
    int queryRank,
    int rank,
    int nope,
    int rope,
    int value,
    LatentForm form,
    LatentNorm norm,
    int groups,
    double theta,
    double epsilon) {

  public LatentShape {
    if (width < 1 || heads < 1 || queryRank < 0 || rank < 1 || nope < 1 || value < 1) {
      throw new IllegalArgumentException(
          "Latent attention of width "
              + width
              + " with "
              + heads
              + " heads, latents of "
              + queryRank
              + " and "
              + rank
              + ", keys of "
              + nope
              + " and values of "
              + value);
    }
    if (rope < 2 || rope % 2 != 0) {
      throw new IllegalArgumentException("Rotary positions turn pairs of columns, not " + rope);
    }
    if (groups < 1 || rank % groups != 0 || (form == LatentForm.MLA && groups > 1)) {
      throw new IllegalArgumentException(rank + " columns in " + groups + " groups of " + form);
    }
  }

  /** The same sizes as MLA, whose latent is one group. */
  public LatentShape asMla() {
    return new LatentShape(
        width,
        heads,
        queryRank,
        rank,
        nope,
        rope,
        value,
        LatentForm.MLA,
        LatentNorm.EXACT,
        1,
        theta,
        epsilon);
  }

  /** Columns of what queries are projected from. */
  public int queryInput() {
    return queryRank == 0 ? width : queryRank;
  }

  /** Columns of a head's queries and keys. */
  public int keyWidth() {
    return nope + rope;
  }

  /** Scales scores: one over the root of {@link #keyWidth}. */
  public double scale() {
    return 1 / Math.sqrt(keyWidth());
  }

  /** Columns of a group of the latent. */
  public int groupColumns() {
    return rank / groups;
  }

  /** Whether a token's norm needs a number of every group. */
  public boolean sumsSquaresOverGroups() {
    return switch (form) {
      case MLA, MLRA -> false;
      case TPLA -> norm == LatentNorm.EXACT;
    };
  }

  /** Whether a token's norm is estimated with a constant for each group. */
  public boolean estimatesNorms() {
    return form == LatentForm.TPLA && norm == LatentNorm.LOCAL;
  }

  /** What keeps this from lying on {@code ranks} tensor ranks, and what would do; a clause. */
  public Optional<String> obstacle(int ranks) {
    return switch (form) {
      case MLA ->
          heads % ranks == 0
              ? Optional.empty()
              : Optional.of(
                  "mla lies on tensor ranks by heads, and "
                      + heads
                      + " heads cannot be dealt evenly to "
                      + ranks
                      + " ranks; a divisor of "
                      + heads
                      + " would do");
      case TPLA, MLRA ->
          groups % ranks == 0
              ? Optional.empty()
              : Optional.of(
                  LatentNames.of(form)
                      + " lies on tensor ranks by groups, and "
                      + groups
                      + " groups cannot be dealt evenly to "
                      + ranks
                      + " ranks; a divisor of "
                      + groups
                      + " would do");
    };
  }

  /** What the tensor rank at {@code place} of {@code ranks} has of it. */
  public LatentShare share(int place, int ranks) {
    obstacle(ranks)
        .ifPresent(
            obstacle -> {
              throw new IllegalArgumentException(obstacle);
            });
    return switch (form) {
      case MLA -> new LatentShare(this, place * heads / ranks, heads / ranks, 0, 1);
      case TPLA, MLRA -> new LatentShare(this, 0, heads, place * groups / ranks, groups / ranks);
    };
  }
}
