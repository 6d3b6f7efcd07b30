package org.longspan.executors.latent;

import org.longspan.executors.math.Numerics;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

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
 * <p>Traffic: an exact norm over groups that lie on several ranks takes one number for each token.
 *
 * <p>Threading: one thread.
 */
public final class AbsorbedLatentAttention {
  private final LatentShape shape;
  private final LatentShare share;
  private final Products products;
  private final LatentPlace.RowSum tensorSum;
  private final LatentRows rows;
  private final LatentCache cache;
  private final Matrix latentRaw;
  private final Matrix squares;
  private final Matrix queryRaw;
  private final Matrix queryNormed;
  private final Matrix querySquares;
  private final Matrix plain;
  private final Matrix rotary;
  private final Matrix queries;
  private final Matrix scores;
  private final Matrix contexts;
  private final Matrix maxima;
  private final Matrix sums;
  private final Matrix attended;

  /**
   * @param share what this tensor rank has
   * @param arena where all it holds comes from, while it reads as well
   * @param tensorSum over the tensor ranks
   */
  public AbsorbedLatentAttention(
      LatentShare share, Numerics numerics, Arena arena, LatentPlace.RowSum tensorSum) {
    this.shape = share.shape();
    this.share = share;
    this.products = numerics.products();
    this.tensorSum = tensorSum;
    this.rows = LatentRows.of(numerics.precision());
    this.cache = new LatentCache(arena, share.latentWidth());
    int heads = share.heads();
    this.latentRaw = arena.matrix(1, share.columns());
    this.squares = arena.matrix(1, share.norms());
    this.queryRaw = arena.matrix(1, shape.queryRank());
    this.queryNormed = arena.matrix(1, shape.queryRank());
    this.querySquares = arena.matrix(1, 1);
    this.plain = arena.matrix(1, heads * shape.nope());
    this.rotary = arena.matrix(1, heads * shape.rope());
    this.queries = arena.matrix(heads, share.latentWidth());
    this.scores = arena.matrix(heads, LatentCache.BLOCK_LENGTH);
    this.contexts = arena.matrix(heads, share.columns());
    this.maxima = arena.matrix(heads, share.groups());
    this.sums = arena.matrix(heads, share.groups());
    this.attended = arena.matrix(1, share.valueColumns());
  }

  /** On one rank, which has the whole of {@code shape}. */
  public AbsorbedLatentAttention(LatentShape shape, Numerics numerics, Arena arena) {
    this(
        shape.share(0, 1),
        numerics,
        arena,
        whole -> {
          // One rank's squares are the sum.
        });
  }

  /**
   * Adds to {@code stream} {@code [1, width]} what this tensor rank has of u for the next token, of
   * which {@code x} {@code [1, width]} goes in. A collective of the tensor ranks where they share
   * groups under an exact norm.
   *
   * @param weights of this rank's share
   */
  public void step(Matrix x, LatentWeights weights, Matrix stream) {
    long position = cache.length();
    LatentScales scales = new LatentScales(shape, weights);
    remember(position, x, weights, scales);
    project(position, x, weights, scales);
    attend();
    for (int head = 0; head < share.heads(); head++) {
      products.multiply(
          contexts.rows(head, head + 1L),
          part(weights.valueUp(), head, shape.value()),
          0,
          part(attended, head, shape.value()));
    }
    rows.scaled(scales.ofValues(), attended, attended);
    products.multiply(attended, weights.output(), 1, stream);
  }

  /** Puts the token's normed latent and rotated key into the cache. */
  private void remember(long position, Matrix x, LatentWeights weights, LatentScales scales) {
    int firstColumn = share.firstColumn();
    products.multiply(
        x, weights.latentDown().columns(firstColumn, firstColumn + share.columns()), 0, latentRaw);
    int normColumns = share.columns() / share.norms();
    for (int norm = 0; norm < share.norms(); norm++) {
      rows.squares(part(latentRaw, norm, normColumns), part(squares, norm, 1));
    }
    if (shape.sumsSquaresOverGroups() && share.groups() < shape.groups()) {
      tensorSum.sum(squares);
    }
    Matrix token = cache.append();
    for (int norm = 0; norm < share.norms(); norm++) {
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
  private void project(long position, Matrix x, LatentWeights weights, LatentScales scales) {
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
      Matrix ofGroup = ofGroup(queries, group);
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

  /** The means of the cached latents as each head's and group's softmax weighs them. */
  private void attend() {
    contexts.zero();
    sums.zero();
    rows.fill(maxima, Double.NEGATIVE_INFINITY);
    for (int number = 0; number < cache.blocks(); number++) {
      Matrix block = cache.block(number);
      Matrix weights = scores.columns(0, Math.toIntExact(block.rows()));
      for (int group = 0; group < share.groups(); group++) {
        Matrix latents = ofGroup(block, group);
        Matrix context = ofGroup(contexts, group);
        products.multiplyTransposed(ofGroup(queries, group), latents, 0, weights);
        products.multiplyTransposed(ofRope(queries), ofRope(block), 1, weights);
        rows.absorb(weights, context, part(maxima, group, 1), part(sums, group, 1));
        products.multiply(weights, latents, 1, context);
      }
    }
    for (int group = 0; group < share.groups(); group++) {
      rows.finishSoftmax(ofGroup(contexts, group), part(maxima, group, 1), part(sums, group, 1));
    }
  }

  private static Matrix part(Matrix matrix, int part, int width) {
    return matrix.columns(part * width, (part + 1) * width);
  }

  private Matrix ofGroup(Matrix matrix, int group) {
    return part(matrix, group, shape.groupColumns());
  }

  private Matrix ofRope(Matrix matrix) {
    return matrix.columns(share.columns(), share.latentWidth());
  }
}
