package org.longspan.executors.latent;

import org.longspan.executors.math.Numerics;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;

/**
 * {@link LatentAttention}, a token at a time, in its absorbed form: the weights of keys go into the
 * query and those of values behind the softmax, so that a token's normed latent and rotated key are
 * all that is kept of it, {@link LatentShare#latentWidth} numbers, and no key or value of an
 * earlier token is ever computed. With {@code c^}, {@code qR} and {@code kR} as there,
 *
 * <pre>
 *   head i, group s:  a = μ_s WUK_i,s (cq^ WUQ_i)ᵀ    S_t = τ (a · c^_s,t + qR_i · kR_t)    z_i,s = Σ_t softmax(S)_t c^_s,t
 *   u = Σ_i (Σ_s z_i,s WUV_i,s) WO_i
 * </pre>
 *
 * <p>It reads one text from its start; the first step is position 0.
 *
 * <p>Traffic: an exact norm over groups that lie on several ranks takes one number for each token;
 * see {@link OwnCacheAttention} and {@link SharedTokenAttention} for more.
 *
 * <p>Threading: one thread.
 */
public final class AbsorbedLatentAttention {
  private final LatentShape shape;
  private final LatentShare share;
  private final Products products;
  private final LatentPlace.RowSum tensorSum;
  private final LatentRows rows;
  private final CacheAttention ofForm;
  private final CacheAttention ofMla;
  private final LatentCache cache;
  private final Matrix latentRaw;
  private final Matrix squares;
  private final Matrix queryRaw;
  private final Matrix queryNormed;
  private final Matrix querySquares;
  private final Matrix plain;
  private final Matrix rotary;
  private final Matrix queries;
  private final Matrix contexts;
  private final Matrix attended;
  private long position;

  /**
   * What the rank at its place among {@code tensor} has of {@code shape}.
   *
   * @param split tokens are split for MLA only
   * @param arena where all it holds comes from, while it reads as well
   * @param tensor the ranks that read the text together; used while this is
   */
  public AbsorbedLatentAttention(
      LatentShape shape, CacheSplit split, Numerics numerics, Arena arena, Communicator tensor) {
    this.shape = shape;
    this.share = shape.share(tensor.index(), tensor.size());
    this.products = numerics.products();
    this.tensorSum = sum(numerics, tensor);
    this.rows = LatentRows.of(numerics.precision());
    this.ofForm =
        switch (split) {
          case FORM -> OwnCacheAttention.ofGroups(share, numerics, arena);
          case TOKENS -> tokens(shape, share, numerics, arena, tensor);
        };
    this.ofMla =
        switch (shape.form()) {
          case MLA -> ofForm;
          case TPLA -> OwnCacheAttention.ofTheWhole(share, numerics, arena, tensorSum);
          case MLRA -> null;
        };
    this.cache = new LatentCache(arena, share.latentWidth());
    int heads = share.heads();
    this.latentRaw = arena.matrix(1, share.columns());
    this.squares = arena.matrix(1, share.groups());
    this.queryRaw = arena.matrix(1, shape.queryRank());
    this.queryNormed = arena.matrix(1, shape.queryRank());
    this.querySquares = arena.matrix(1, 1);
    this.plain = arena.matrix(1, heads * shape.nope());
    this.rotary = arena.matrix(1, heads * shape.rope());
    this.queries = arena.matrix(heads, share.latentWidth());
    this.contexts = arena.matrix(heads, share.columns());
    this.attended = arena.matrix(1, share.valueColumns());
  }

  private static CacheAttention tokens(
      LatentShape shape, LatentShare share, Numerics numerics, Arena arena, Communicator tensor) {
    if (shape.form() != LatentForm.MLA) {
      throw new IllegalArgumentException(
          "Tokens are split over ranks for MLA, not for " + LatentNames.of(shape.form()));
    }
    return new SharedTokenAttention(share, numerics, arena, tensor);
  }

  private static LatentPlace.RowSum sum(Numerics numerics, Communicator tensor) {
    if (tensor.size() == 1) {
      return whole -> {
        // One rank's part is the sum.
      };
    }
    ElementType type =
        switch (numerics.precision()) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
    return part -> tensor.allReduce(part.bytes(), type);
  }

  /**
   * Adds to {@code stream} {@code [1, width]} what this tensor rank has of u for the next token, of
   * which {@code x} {@code [1, width]} goes in. A collective of the tensor ranks.
   *
   * @param weights of this rank's share
   * @param reading of this token; MLRA has no form of MLA
   */
  public void step(Matrix x, LatentWeights weights, LatentReading reading, Matrix stream) {
    CacheAttention attention =
        switch (reading) {
          case FORM -> ofForm;
          case MLA -> ofMla;
        };
    if (attention == null) {
      throw new IllegalArgumentException(LatentNames.of(shape.form()) + " read as mla");
    }
    LatentShape read =
        switch (reading) {
          case FORM -> shape;
          case MLA -> shape.asMla();
        };
    LatentScales scales = new LatentScales(read, weights);
    if (attention.keeps(position)) {
      remember(x, weights, reading, scales);
    }
    project(x, weights, scales);
    attention.attend(cache, queries, contexts);
    for (int head = 0; head < share.heads(); head++) {
      products.multiply(
          contexts.rows(head, head + 1L),
          part(weights.valueUp(), head, shape.value()),
          0,
          part(attended, head, shape.value()));
    }
    rows.scaled(scales.ofValues(), attended, attended);
    products.multiply(attended, weights.output(), 1, stream);
    position++;
  }

  /** Puts the token's normed latent and rotated key into the cache. */
  private void remember(
      Matrix x, LatentWeights weights, LatentReading reading, LatentScales scales) {
    int firstColumn = share.firstColumn();
    products.multiply(
        x, weights.latentDown().columns(firstColumn, firstColumn + share.columns()), 0, latentRaw);
    boolean isExact = reading == LatentReading.MLA || shape.sumsSquaresOverGroups();
    int norms = isExact ? 1 : share.groups();
    int normColumns = share.columns() / norms;
    for (int norm = 0; norm < norms; norm++) {
      rows.squares(part(latentRaw, norm, normColumns), part(squares, norm, 1));
    }
    if (isExact && share.columns() < shape.rank()) {
      tensorSum.sum(part(squares, 0, 1));
    }
    Matrix token = cache.append();
    for (int norm = 0; norm < norms; norm++) {
      Matrix inverse = part(squares, norm, 1);
      rows.inverse(inverse, scales.ofNorm(norm), shape.epsilon(), inverse);
      rows.normalize(
          part(latentRaw, norm, normColumns),
          inverse,
          part(weights.latentGain(), norm, normColumns),
          part(token, norm, normColumns));
    }
    Matrix rope = ofRope(token);
    products.multiply(x, weights.keyRope(), 0, rope);
    rows.turn(rope, 0, shape.rope(), shape.theta(), position, 1, 1);
  }

  /** The heads' queries to what the cache holds. */
  private void project(Matrix x, LatentWeights weights, LatentScales scales) {
    Matrix input = queryInput(x, weights);
    products.multiply(input, weights.queryUp(), 0, plain);
    for (int head = 0; head < share.heads(); head++) {
      products.multiplyTransposed(
          part(plain, head, shape.nope()),
          part(weights.keyUp(), head, shape.nope()),
          0,
          queries.rows(head, head + 1L).columns(0, share.columns()));
    }
    for (int group = 0; group < share.groups(); group++) {
      Matrix ofGroup = part(queries, group, shape.groupColumns());
      rows.scaled(shape.scale() * scales.ofContent(group), ofGroup, ofGroup);
    }
    products.multiply(input, weights.queryRope(), 0, rotary);
    rows.turn(rotary, 0, shape.rope(), shape.theta(), position, 1, shape.scale());
    ofRope(queries).set(rotary.reshape(share.heads(), shape.rope()));
  }

  private Matrix queryInput(Matrix x, LatentWeights weights) {
    if (shape.queryRank() == 0) {
      return x;
    }
    products.multiply(x, weights.queryDown(), 0, queryRaw);
    rows.squares(queryRaw, querySquares);
    rows.inverse(querySquares, 1.0 / shape.queryRank(), shape.epsilon(), querySquares);
    rows.normalize(queryRaw, querySquares, weights.queryGain(), queryNormed);
    return queryNormed;
  }

  private static Matrix part(Matrix matrix, int part, int width) {
    return matrix.columns(part * width, (part + 1) * width);
  }

  private Matrix ofRope(Matrix matrix) {
    return matrix.columns(share.columns(), share.latentWidth());
  }
}
