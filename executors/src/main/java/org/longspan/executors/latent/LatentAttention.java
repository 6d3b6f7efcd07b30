package org.longspan.executors.latent;

import java.util.function.BiFunction;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Matrix;

/**
 * Multi-head latent attention with a decoupled rotary key, trained in its expanded form, over
 * sequence ranks and tensor ranks. {@code x} {@code [tokens, width]}, {@code τ = 1/√(nope + rope)}:
 *
 * <pre>
 *   cq = x WDQ ; cq^ = RMSNorm(cq)   (or cq^ = x)    c = x WDKV ; c^ = RMSNorm(c)    kR = RoPE(x WKR)
 *   head i, group s:  S = τ (μ_s cq^ WUQ_i (c^_s WUK_i,s)ᵀ + RoPE(cq^ WQR_i) kRᵀ)    o_i,s = softmax(S) c^_s WUV_i,s
 *   u = Σ o_i,s WO_i
 * </pre>
 *
 * MLA has one group, and tensor ranks share the heads; TPLA (arXiv 2508.15881) and MLRA (arXiv
 * 2603.02188) have several, tensor ranks share them, and {@code c^_s = c_s γ_s / √(n/rank + ε)}
 * with {@code n = ‖c‖²} (exact norm) or {@code α_s‖c_s‖²} (local norm). MLRA is the local norm with
 * α the number of groups and μ = 1, outputs over the root of the number of groups.
 *
 * <p>It is driven like a mixer: project every tile, attend, join every tile; backward join, attend,
 * project. {@link #join} adds this tensor rank's part of u, which the caller sums over the tensor
 * ranks; {@link #projectGradient} gives the whole gradient of x on each of them.
 *
 * <p>Traffic, in numbers that a rank receives for its n tokens, T tensor ranks, beside that of the
 * sequence ranks (the ring's {@code w = columns + rope} and the queries that others attend for):
 *
 * <ul>
 *   <li>forward: for an exact norm {@code 2(T−1)/T · n};
 *   <li>backward, one fused sum: {@code 2(T−1)/T · n · s}, s being {@code queryInput + rank + rope}
 *       for MLA, else {@code queryInput + rope}, and 1 for an exact norm; for TPLA and MLRA also a
 *       gather of {@code (T−1)/T · n · rank}.
 * </ul>
 *
 * <p>Threading: {@code project…} and {@code join…} for different tiles by several workers at once,
 * the rest by the rank's own thread.
 */
public final class LatentAttention implements AutoCloseable {
  private final LatentShape shape;
  private final LatentShare share;
  private final LatentPlace place;
  private final LatentRows rows;
  private final LatentCore core;
  private final Matrix latentRaw;
  private final Matrix squares;
  private final Matrix inverse;
  private final Matrix queryRaw;
  private final Matrix queryInverse;
  private final Matrix queryNormed;
  private final Matrix keyWeights;
  private final Matrix valueWeights;
  private final Matrix keyWeightGradient;
  private final Matrix valueWeightGradient;
  private final Matrix sharedGradients;
  private final Matrix latentRawGradient;
  private final Matrix normProducts;
  private final Matrix queryRawGradient;
  private Matrix everyLatentRawGradient;
  private long firstPosition;

  /** Computed by what the place's kernel says. */
  public LatentAttention(LatentShape shape, LatentPlace place) {
    this(shape, place, LatentBlocks::of);
  }

  /**
   * @param blocks what computes softmax attention for a share at a place
   */
  LatentAttention(
      LatentShape shape,
      LatentPlace place,
      BiFunction<LatentShare, LatentPlace, LatentBlocks> blocks) {
    this.shape = shape;
    this.share = shape.share(place.tensor().index(), place.tensor().size());
    this.place = place;
    this.rows = LatentRows.of(place.numerics().precision());
    this.core = new LatentCore(share, place, rows, blocks.apply(share, place));
    LatentMemory memory = place.memory();
    int capacity = place.capacity();
    int columns = share.columns();
    this.latentRaw = memory.kept("latent raw", capacity, columns);
    this.squares = memory.shared("latent squares", capacity, share.norms());
    this.inverse = memory.always(capacity, share.norms());
    this.queryRaw = memory.kept("latent query raw", capacity, shape.queryRank());
    this.queryInverse = memory.kept("latent query inverse", capacity, 1);
    this.queryNormed = memory.kept("latent query normed", capacity, shape.queryRank());
    int keyColumns = share.heads() * shape.nope();
    this.keyWeights = memory.shared("latent key weights", columns, keyColumns);
    this.valueWeights = memory.shared("latent value weights", columns, share.valueColumns());
    this.keyWeightGradient = memory.shared("latent key weight gradient", columns, keyColumns);
    this.valueWeightGradient =
        memory.shared("latent value weight gradient", columns, share.valueColumns());
    this.sharedGradients =
        memory.shared("latent shared gradients", capacity, share.sharedGradientColumns());
    this.latentRawGradient = memory.shared("latent raw gradient", capacity, columns);
    this.normProducts = memory.shared("latent norm products", capacity, share.norms());
    this.queryRawGradient = memory.shared("latent query raw gradient", capacity, shape.queryRank());
    this.everyLatentRawGradient = latentRawGradient;
  }

  /** What this tensor rank has. */
  public LatentShare share() {
    return share;
  }

  /** Goes on to another sequence; the plan is the same on every rank of it. */
  public void accept(LatentPlan plan) {
    core.accept(plan);
    firstPosition = plan.slices().get(place.sequence().index()).start();
  }

  /** Pairs of a query and a key multiplied so far, for each head and group: the work done. */
  public long pairs() {
    return core.pairs();
  }

  /** What computes scores and outputs, for the run's first lines. */
  public String description() {
    return core.description();
  }

  /** Frees what it has on a device. */
  @Override
  public void close() {
    core.close();
  }

  /** Queries and latents of the tile {@code x} {@code [rows, width]} at {@code first}. */
  public void project(int first, Matrix x, LatentWeights weights) {
    Products products = place.numerics().products();
    long last = first + x.rows();
    Matrix raw = latentRaw.rows(first, last);
    products.multiply(x, ownColumns(weights.latentDown()), 0, raw);
    for (int norm = 0; norm < share.norms(); norm++) {
      rows.squares(ofNorm(raw, norm), squares.rows(first, last).columns(norm, norm + 1));
    }
    Matrix rope = core.latents().rows(first, last).columns(share.columns(), share.latentWidth());
    products.multiply(x, weights.keyRope(), 0, rope);
    rows.turn(rope, 0, shape.rope(), shape.theta(), firstPosition + first, 1, 1);
    Matrix input = queryInput(first, x, weights);
    Matrix queries = core.queries().rows(first, last);
    for (int head = 0; head < share.heads(); head++) {
      products.multiply(
          input, part(weights.queryUp(), head, shape.nope()), 0, plain(queries, head));
      products.multiply(
          input, part(weights.queryRope(), head, shape.rope()), 0, rotary(queries, head));
    }
    rows.turn(
        queries,
        shape.nope(),
        shape.rope(),
        shape.theta(),
        firstPosition + first,
        1,
        shape.scale());
  }

  private Matrix queryInput(int first, Matrix x, LatentWeights weights) {
    if (shape.queryRank() == 0) {
      return x;
    }
    long last = first + x.rows();
    Matrix raw = queryRaw.rows(first, last);
    Matrix scale = queryInverse.rows(first, last);
    Matrix normed = queryNormed.rows(first, last);
    place.numerics().products().multiply(x, weights.queryDown(), 0, raw);
    rows.squares(raw, scale);
    rows.inverse(scale, queryFactor(), shape.epsilon(), scale);
    rows.normalize(raw, scale, weights.queryGain(), normed);
    return normed;
  }

  private double queryFactor() {
    return 1.0 / shape.queryRank();
  }

  private static Matrix part(Matrix matrix, int part, int width) {
    return matrix.columns(part * width, (part + 1) * width);
  }

  private Matrix plain(Matrix queries, int head) {
    int at = head * shape.keyWidth();
    return queries.columns(at, at + shape.nope());
  }

  private Matrix rotary(Matrix queries, int head) {
    int at = head * shape.keyWidth();
    return queries.columns(at + shape.nope(), at + shape.keyWidth());
  }

  private Matrix ownColumns(Matrix latentDown) {
    return latentDown.columns(share.firstColumn(), share.firstColumn() + share.columns());
  }

  /** The columns of the latent that norm {@code norm} is of. */
  private Matrix ofNorm(Matrix latent, int norm) {
    int width = share.columns() / share.norms();
    return latent.columns(norm * width, (norm + 1) * width);
  }

  private LatentScales scales(LatentWeights weights) {
    return new LatentScales(shape, weights);
  }

  /** Attention over the sequence, after every tile has been projected. */
  public void attend(LatentWeights weights) {
    int length = core.length();
    if (shape.sumsSquaresOverGroups() && place.tensor().size() > 1 && length > 0) {
      place.tensorSum().sum(squares.rows(0, length));
    }
    for (int norm = 0; norm < share.norms(); norm++) {
      rows.inverse(
          squares.rows(0, length).columns(norm, norm + 1),
          scales(weights).ofNorm(norm),
          shape.epsilon(),
          inverse.rows(0, length).columns(norm, norm + 1));
    }
    normalize(weights);
    scaleWeights(weights);
    core.forward(keyWeights, valueWeights);
  }

  /**
   * What the backward needs, again, after every tile has been projected again: outputs and norms
   * have been kept.
   */
  public void attendAgain(LatentWeights weights) {
    normalize(weights);
  }

  private void normalize(LatentWeights weights) {
    forEachTile(
        (first, last) -> {
          for (int norm = 0; norm < share.norms(); norm++) {
            rows.normalize(
                ofNorm(latentRaw.rows(first, last), norm),
                inverse.rows(first, last).columns(norm, norm + 1),
                ofNorm(weights.latentGain(), norm),
                ofNorm(core.latents().rows(first, last).columns(0, share.columns()), norm));
          }
        });
  }

  /** What multiplies scores and outputs of a group goes into the weights of its keys and values. */
  private void scaleWeights(LatentWeights weights) {
    for (int group = 0; group < share.groups(); group++) {
      rows.scaled(
          scales(weights).ofContent(group),
          ofGroup(weights.keyUp(), group),
          ofGroup(keyWeights, group));
      rows.scaled(
          scales(weights).ofValues(),
          ofGroup(weights.valueUp(), group),
          ofGroup(valueWeights, group));
    }
  }

  private Matrix ofGroup(Matrix weights, int group) {
    long width = shape.groupColumns();
    return weights.rows(group * width, (group + 1) * width);
  }

  /** Adds this tensor rank's part of the tile's outputs to {@code stream} {@code [rows, width]}. */
  public void join(int first, Matrix stream, LatentWeights weights) {
    for (int group = 0; group < share.groups(); group++) {
      place
          .numerics()
          .products()
          .multiply(attended(first, stream, group), weights.output(), 1, stream);
    }
  }

  private Matrix attended(int first, Matrix stream, int group) {
    return part(core.attended().rows(first, first + stream.rows()), group, share.valueColumns());
  }

  /** From the gradient of u; adds to that of the output's weights. */
  public void joinGradient(
      int first, Matrix streamGradient, LatentWeights weights, LatentWeights gradients) {
    Products products = place.numerics().products();
    for (int group = 0; group < share.groups(); group++) {
      products.transposedMultiply(
          attended(first, streamGradient, group), streamGradient, 1, gradients.output());
    }
    products.multiplyTransposed(
        streamGradient,
        weights.output(),
        0,
        core.attendedGradient().rows(first, first + streamGradient.rows()));
  }

  /**
   * The gradients of attention over the sequence, after every tile's {@link #joinGradient}; adds to
   * those of the keys', values' and content's weights.
   *
   * @param gradients asked for again for each tile where sums are ordered
   */
  public void attendGradient(LatentWeights weights, Supplier<LatentWeights> gradients) {
    scaleWeights(weights);
    keyWeightGradient.zero();
    valueWeightGradient.zero();
    core.backward(
        keyWeights,
        valueWeights,
        keyWeightGradient,
        valueWeightGradient,
        () -> {
          unscaleGradients(weights, gradients.get());
          keyWeightGradient.zero();
          valueWeightGradient.zero();
        });
    int length = core.length();
    forEachTile((first, last) -> fillShared(first, last, weights));
    if (place.tensor().size() > 1 && length > 0) {
      place.tensorSum().sum(sharedGradients.rows(0, length));
    }
    forEachTile((first, last) -> latentGradient(first, last, weights));
    if (gathersLatentGradients() && length > 0) {
      gather(length);
    }
  }

  private void unscaleGradients(LatentWeights weights, LatentWeights gradients) {
    for (int group = 0; group < share.groups(); group++) {
      Matrix ofKeys = ofGroup(keyWeightGradient, group);
      rows.addScaled(scales(weights).ofContent(group), ofKeys, ofGroup(gradients.keyUp(), group));
      rows.addScaled(
          scales(weights).ofValues(),
          ofGroup(valueWeightGradient, group),
          ofGroup(gradients.valueUp(), group));
      if (shape.form() == LatentForm.TPLA) {
        double before = gradients.contentScale().get(0, group);
        double ofScale = rows.dot(ofGroup(weights.keyUp(), group), ofKeys);
        gradients.contentScale().put(0, group, before + ofScale);
      }
    }
  }

  /** This tensor rank's part of the gradients that all of them have a part of. */
  private void fillShared(long first, long last, LatentWeights weights) {
    Products products = place.numerics().products();
    Matrix queries = core.queryGradient().rows(first, last);
    rows.turn(
        queries,
        shape.nope(),
        shape.rope(),
        shape.theta(),
        firstPosition + first,
        -1,
        shape.scale());
    Matrix input = sharedOfQueries(first, last);
    for (int head = 0; head < share.heads(); head++) {
      products.multiplyTransposed(
          plain(queries, head),
          part(weights.queryUp(), head, shape.nope()),
          head == 0 ? 0 : 1,
          input);
      products.multiplyTransposed(
          rotary(queries, head), part(weights.queryRope(), head, shape.rope()), 1, input);
    }
    Matrix latent = core.latentGradient().rows(first, last);
    if (shape.form() == LatentForm.MLA) {
      sharedOfLatent(first, last).set(latent.columns(0, share.columns()));
    }
    sharedOfRope(first, last).set(latent.columns(share.columns(), share.latentWidth()));
    if (shape.sumsSquaresOverGroups()) {
      rows.normProducts(
          latent.columns(0, share.columns()),
          weights.latentGain(),
          latentRaw.rows(first, last),
          sharedOfNorm(first, last));
    }
  }

  private Matrix sharedOfQueries(long first, long last) {
    return sharedGradients.rows(first, last).columns(0, shape.queryInput());
  }

  private Matrix sharedOfLatent(long first, long last) {
    return sharedGradients
        .rows(first, last)
        .columns(shape.queryInput(), shape.queryInput() + shape.rank());
  }

  private Matrix sharedOfRope(long first, long last) {
    int at = shape.queryInput() + (shape.form() == LatentForm.MLA ? shape.rank() : 0);
    return sharedGradients.rows(first, last).columns(at, at + shape.rope());
  }

  private Matrix sharedOfNorm(long first, long last) {
    int at = share.sharedGradientColumns() - 1;
    return sharedGradients.rows(first, last).columns(at, at + 1);
  }

  /** The gradient of the normed latent's own columns. */
  private Matrix normedGradient(long first, long last) {
    return switch (shape.form()) {
      case MLA -> sharedOfLatent(first, last);
      case TPLA, MLRA -> core.latentGradient().rows(first, last).columns(0, share.columns());
    };
  }

  private void latentGradient(long first, long last, LatentWeights weights) {
    rows.turn(
        sharedOfRope(first, last), 0, shape.rope(), shape.theta(), firstPosition + first, -1, 1);
    Matrix raw = latentRaw.rows(first, last);
    Matrix normed = normedGradient(first, last);
    for (int norm = 0; norm < share.norms(); norm++) {
      Matrix gain = ofNorm(weights.latentGain(), norm);
      Matrix products = normProducts.rows(first, last).columns(norm, norm + 1);
      if (shape.sumsSquaresOverGroups()) {
        products = sharedOfNorm(first, last);
      } else {
        rows.normProducts(ofNorm(normed, norm), gain, ofNorm(raw, norm), products);
      }
      rows.normalizeGradient(
          ofNorm(normed, norm),
          gain,
          ofNorm(raw, norm),
          inverse.rows(first, last).columns(norm, norm + 1),
          scales(weights).ofNorm(norm),
          products,
          ofNorm(latentRawGradient.rows(first, last), norm));
    }
  }

  private boolean gathersLatentGradients() {
    return shape.form() != LatentForm.MLA && place.tensor().size() > 1;
  }

  /** Each rank's columns, one rank's rows after another's. */
  private void gather(int length) {
    everyLatentRawGradient =
        LatentRoom.of(
            place.memory(),
            "every latent raw gradient",
            (long) length * place.tensor().size(),
            share.columns());
    place.tensor().allGather(latentRawGradient.bytes(0, length), everyLatentRawGradient.bytes());
  }

  /**
   * {@code dx} of a tile (overwritten), the whole of it on each tensor rank; adds to the gradients
   * of the weights.
   */
  public void projectGradient(
      int first, Matrix x, Matrix dx, LatentWeights weights, LatentWeights gradients) {
    Products products = place.numerics().products();
    long last = first + x.rows();
    Matrix ownLatent = latentRawGradient.rows(first, last);
    products.transposedMultiply(x, ownLatent, 1, ownColumns(gradients.latentDown()));
    for (int norm = 0; norm < share.norms(); norm++) {
      rows.gainGradient(
          ofNorm(normedGradient(first, last), norm),
          ofNorm(latentRaw.rows(first, last), norm),
          inverse.rows(first, last).columns(norm, norm + 1),
          ofNorm(gradients.latentGain(), norm));
    }
    throughLatents(first, last, weights, dx);
    Matrix rope = sharedOfRope(first, last);
    products.transposedMultiply(x, rope, 1, gradients.keyRope());
    products.multiplyTransposed(rope, weights.keyRope(), 1, dx);
    Matrix queries = core.queryGradient().rows(first, last);
    Matrix input = shape.queryRank() == 0 ? x : queryNormed.rows(first, last);
    for (int head = 0; head < share.heads(); head++) {
      products.transposedMultiply(
          input, plain(queries, head), 1, part(gradients.queryUp(), head, shape.nope()));
      products.transposedMultiply(
          input, rotary(queries, head), 1, part(gradients.queryRope(), head, shape.rope()));
    }
    if (shape.queryRank() == 0) {
      place.numerics().rows().add(sharedOfQueries(first, last), dx);
    } else {
      throughQueries(first, x, dx, weights, gradients);
    }
  }

  private void throughLatents(long first, long last, LatentWeights weights, Matrix dx) {
    Products products = place.numerics().products();
    if (!gathersLatentGradients()) {
      products.multiplyTransposed(
          latentRawGradient.rows(first, last), ownColumns(weights.latentDown()), 0, dx);
      return;
    }
    for (int rank = 0; rank < place.tensor().size(); rank++) {
      long from = (long) rank * core.length();
      products.multiplyTransposed(
          everyLatentRawGradient.rows(from + first, from + last),
          part(weights.latentDown(), rank, share.columns()),
          rank == 0 ? 0 : 1,
          dx);
    }
  }

  private void throughQueries(
      int first, Matrix x, Matrix dx, LatentWeights weights, LatentWeights gradients) {
    Products products = place.numerics().products();
    long last = first + x.rows();
    Matrix normed = sharedOfQueries(first, last);
    Matrix raw = queryRaw.rows(first, last);
    Matrix scale = queryInverse.rows(first, last);
    Matrix rawGradient = queryRawGradient.rows(first, last);
    Matrix normProduct = squares.rows(first, last).columns(0, 1);
    rows.gainGradient(normed, raw, scale, gradients.queryGain());
    rows.normProducts(normed, weights.queryGain(), raw, normProduct);
    rows.normalizeGradient(
        normed, weights.queryGain(), raw, scale, queryFactor(), normProduct, rawGradient);
    products.transposedMultiply(x, rawGradient, 1, gradients.queryDown());
    products.multiplyTransposed(rawGradient, weights.queryDown(), 1, dx);
  }

  private interface TileWork {
    void accept(long first, long last);
  }

  /** Any worker takes any tile: each row's numbers are its own. */
  private void forEachTile(TileWork work) {
    int length = core.length();
    int tile = place.tile();
    IntConsumer one =
        number -> {
          long first = (long) number * tile;
          work.accept(first, Math.min(length, first + tile));
        };
    place.workers().forEach((length + tile - 1) / tile, one);
  }
}
