package org.longspan.executors.latent;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.mesh.Slice;

/**
 * Dense causal attention from queries and latents to outputs, over the ranks of a sequence: keys
 * and values are expanded from the latents some blocks at a time, never kept and never sent.
 *
 * <p>Threading: one thread, with the place's workers.
 */
final class LatentCore implements AutoCloseable {
  private final LatentShare share;
  private final LatentPlace place;
  private final LatentRows rows;
  private final QueryRoom own;
  private final Matrix latents;
  private final Matrix latentGradient;
  private final LatentBlocks blocks;
  private LatentPlan plan;
  private QueryExchange exchange;
  private LatentRing ring;
  private int length;
  private QueryRoom taken;
  private List<QueryRows> ownRows = List.of();
  private List<QueryRows> takenRows = List.of();
  private List<QueryRows> allRows = List.of();

  LatentCore(LatentShare share, LatentPlace place, LatentRows rows, LatentBlocks blocks) {
    this.share = share;
    this.place = place;
    this.rows = rows;
    LatentMemory memory = place.memory();
    int capacity = place.capacity();
    int outputs = share.groups() * share.valueColumns();
    this.own =
        new QueryRoom(
            memory.kept("latent queries", capacity, share.queryColumns()),
            memory.always(capacity, outputs),
            memory.shared("latent maxima", capacity, share.attentions()),
            memory.always(capacity, share.attentions()),
            memory.shared("latent attended gradient", capacity, share.valueColumns()),
            memory.shared("latent means", capacity, share.attentions()),
            memory.shared("latent query gradient", capacity, share.queryColumns()));
    this.latents = memory.kept("latents", capacity, share.latentWidth());
    this.latentGradient = memory.shared("latent gradient", capacity, share.latentWidth());
    this.blocks = blocks;
  }

  /** Goes on to another sequence. */
  void accept(LatentPlan accepted) {
    if (accepted == plan) {
      return;
    }
    plan = accepted;
    int me = place.sequence().index();
    Slice slice = plan.slices().get(me);
    length = Math.toIntExact(slice.length());
    exchange = new QueryExchange(place, plan);
    ring = new LatentRing(place, plan, share.latentWidth());
    taken = takenRoom(exchange.takenRows());
    ownRows = new ArrayList<>();
    for (QueryBlock block : plan.blocks(me, me)) {
      ownRows.add(queryRows(block, own, Math.toIntExact(block.first() - slice.start())));
    }
    takenRows = new ArrayList<>();
    int offset = 0;
    for (int owner = 0; owner < plan.ranks(); owner++) {
      for (QueryBlock block : owner == me ? List.<QueryBlock>of() : plan.blocks(owner, me)) {
        takenRows.add(queryRows(block, taken, offset));
        offset += block.rows();
      }
    }
    allRows = new ArrayList<>(ownRows);
    allRows.addAll(takenRows);
  }

  private QueryRoom takenRoom(int count) {
    return new QueryRoom(
        room("taken queries", count, share.queryColumns()),
        room("taken attended", count, share.groups() * share.valueColumns()),
        room("taken maxima", count, share.attentions()),
        room("taken log sums", count, share.attentions()),
        room("taken attended gradient", count, share.valueColumns()),
        room("taken means", count, share.attentions()),
        room("taken query gradient", count, share.queryColumns()));
  }

  private Matrix room(String name, long count, int columns) {
    return LatentRoom.of(place.memory(), "latent " + name, count, columns);
  }

  private QueryRows queryRows(QueryBlock block, QueryRoom room, int offset) {
    long[] lowest = new long[block.rows()];
    Arrays.setAll(lowest, row -> plan.lowest(block.first() + row));
    return new QueryRows(block, room, offset, lowest);
  }

  /** Tokens of the slice. */
  int length() {
    return length;
  }

  /** Where the slice's queries go, scaled and rotated. */
  Matrix queries() {
    return own.queries();
  }

  /** Where the slice's latents go: the normed latent, then the rotated key. */
  Matrix latents() {
    return latents;
  }

  /** What {@link #forward} gives, {@code [tokens, groups · heads · value]}. */
  Matrix attended() {
    return own.attended();
  }

  /** Where the gradient of each group's outputs goes, the same for all. */
  Matrix attendedGradient() {
    return own.attendedGradient();
  }

  /** What {@link #backward} gives for the queries. */
  Matrix queryGradient() {
    return own.queryGradient();
  }

  /** What {@link #backward} gives for the latents, of this rank's heads and groups. */
  Matrix latentGradient() {
    return latentGradient;
  }

  /** Pairs of a query and a key multiplied so far, for each head and group. */
  long pairs() {
    return blocks.pairs();
  }

  /** What computes scores and outputs. */
  String description() {
    return blocks.description();
  }

  /** Attention over the sequence. */
  void forward(Matrix keyWeights, Matrix valueWeights) {
    QueryRoom slice = own.first(length);
    Pending arriving = exchange.toWorkers("queries", slice.queries(), taken.queries());
    for (QueryRoom room : List.of(slice, taken)) {
      room.attended().zero();
      rows.fill(room.maxima(), Double.NEGATIVE_INFINITY);
      rows.fill(room.logSums(), 0);
    }
    if (place.order() == null) {
      forwardRoundTheRing(arriving, keyWeights, valueWeights);
    } else {
      blocks.forward(keys(sequence(), gathered(), keyWeights, valueWeights), ownRows);
    }
    int value = share.shape().value();
    forEachAttention(
        part -> {
          for (QueryRows some : allRows) {
            rows.finishSoftmax(
                some.of(some.room().attended(), part, value),
                some.of(some.room().maxima(), part, 1),
                some.of(some.room().logSums(), part, 1));
          }
        });
    exchange.toOwners("attended", taken.attended(), slice.attended());
    exchange.toOwners("log sums", taken.logSums(), slice.logSums());
  }

  private void forwardRoundTheRing(Pending arriving, Matrix keyWeights, Matrix valueWeights) {
    int me = place.sequence().index();
    ring.forward(
        latents.rows(0, length),
        (number, arrived) -> {
          LatentKeys keys = keys(plan.slices().get(number), arrived, keyWeights, valueWeights);
          if (number == me) {
            blocks.forward(keys, ownRows);
            arriving.await();
            blocks.forward(keys, takenRows);
          } else {
            blocks.forward(keys, allRows);
          }
        });
  }

  /** All slices in one, so that keys come in one order whoever holds them. */
  private Slice sequence() {
    return new Slice(0, plan.slices().get(plan.ranks() - 1).end());
  }

  /** The latents of the whole sequence. A collective. */
  private Matrix gathered() {
    Matrix all = room("gathered latents", sequence().length(), share.latentWidth());
    int me = place.sequence().index();
    List<ByteBuffer> parts = new ArrayList<>();
    for (Slice slice : plan.slices()) {
      parts.add(all.bytes(slice.start(), slice.length()));
    }
    Slice own = plan.slices().get(me);
    all.rows(own.start(), own.end()).set(latents.rows(0, length));
    place.sequence().allGather(parts);
    return all;
  }

  private LatentKeys keys(Slice slice, Matrix arrived, Matrix keyWeights, Matrix valueWeights) {
    return new LatentKeys(share, slice, arrived, keyWeights, valueWeights, plan.blockLength());
  }

  /**
   * All gradients; those of the weights are added to what is there.
   *
   * @param take what is done with the weights' gradients, once, or once for each tile where sums
   *     are ordered
   */
  void backward(
      Matrix keyWeights,
      Matrix valueWeights,
      Matrix keyWeightGradient,
      Matrix valueWeightGradient,
      Runnable take) {
    QueryRoom slice = own.first(length);
    findMeans(slice);
    slice.queryGradient().zero();
    WeightMatrices weights =
        new WeightMatrices(keyWeights, valueWeights, keyWeightGradient, valueWeightGradient);
    if (place.order() == null) {
      backwardRoundTheRing(slice, weights);
      take.run();
    } else {
      backwardByTiles(weights, take);
    }
  }

  /** Scaled weights and the gradients by them. */
  private record WeightMatrices(
      Matrix keys, Matrix values, Matrix keyGradient, Matrix valueGradient) {}

  private void backwardRoundTheRing(QueryRoom slice, WeightMatrices weights) {
    List<Pending> arriving =
        List.of(
            exchange.toWorkers("queries", slice.queries(), taken.queries()),
            exchange.toWorkers(
                "attended gradient", slice.attendedGradient(), taken.attendedGradient()),
            exchange.toWorkers("log sums", slice.logSums(), taken.logSums()),
            exchange.toWorkers("means", slice.means(), taken.means()));
    taken.queryGradient().zero();
    Matrix ownGradient = latentGradient.rows(0, length);
    ownGradient.zero();
    int me = place.sequence().index();
    ring.backward(
        latents.rows(0, length),
        ownGradient,
        (number, arrived, gradient) -> {
          SliceGradient work =
              new SliceGradient(
                  keys(plan.slices().get(number), arrived, weights.keys(), weights.values()),
                  gradient,
                  weights);
          if (number == me) {
            work.run(ownRows);
            arriving.forEach(Pending::await);
            work.run(takenRows);
          } else {
            work.run(allRows);
          }
        });
    exchange.toOwners("query gradient", taken.queryGradient(), slice.queryGradient());
  }

  /** What each tile's queries give to all latents and weights, summed over the tiles in order. */
  private void backwardByTiles(WeightMatrices weights, Runnable take) {
    Slice sequence = sequence();
    Slice slice = plan.slices().get(place.sequence().index());
    Matrix all = gathered();
    OrderedTiles order = place.order();
    order.start(sequence.length(), share.latentWidth());
    for (int first = 0; first < length; first += place.tile()) {
      long from = slice.start() + first;
      List<QueryRows> ofTile =
          ownRows.stream()
              .filter(some -> some.block().first() >= from)
              .filter(some -> some.block().first() < from + place.tile())
              .toList();
      new SliceGradient(
              keys(sequence, all, weights.keys(), weights.values()), order.tile(), weights)
          .run(ofTile);
      take.run();
      order.end(first / place.tile());
    }
    Matrix total = room("gathered latent gradients", sequence.length(), share.latentWidth());
    order.finish(total);
    latentGradient.rows(0, length).set(total.rows(slice.start(), slice.end()));
  }

  private void findMeans(QueryRoom slice) {
    int value = share.shape().value();
    forEachAttention(
        part -> {
          int head = part % share.heads();
          rows.dots(
              slice.attended().columns(part * value, (part + 1) * value),
              slice.attendedGradient().columns(head * value, (head + 1) * value),
              slice.means().columns(part, part + 1));
        });
  }

  /** The backward of one slice's keys and some queries. */
  private final class SliceGradient {
    private final LatentKeys keys;
    private final Matrix gradient;
    private final WeightMatrices weights;

    SliceGradient(LatentKeys keys, Matrix gradient, WeightMatrices weights) {
      this.keys = keys;
      this.gradient = gradient;
      this.weights = weights;
    }

    void run(List<QueryRows> queries) {
      int atOnce = blocks.atOnce(keys.blockLength());
      // From the last one on, as the ring brings slices: then keys come in one order.
      for (int last = keys.blocks(); last > 0; last -= atOnce) {
        int first = Math.max(0, last - atOnce);
        LatentKeys some = keys.part(first, last);
        if (some.isSeen(queries)) {
          run(some, gradient.rows(keys.edge(first), keys.edge(last)), queries);
        }
      }
    }

    private void run(LatentKeys some, Matrix someGradient, List<QueryRows> queries) {
      LatentShape shape = share.shape();
      long count = some.length();
      Matrix ofKeys = room("key gradient", count, share.attentions() * shape.nope());
      Matrix ofRopes = room("rope gradient", count, share.attentions() * shape.rope());
      Matrix ofValues = room("value gradient", count, share.attentions() * shape.value());
      blocks.backward(some, queries, ofKeys, ofRopes, ofValues);
      place
          .workers()
          .forEach(
              some.blocks(),
              block -> {
                long from = some.edge(block);
                long to = some.edge(block + 1);
                addToLatents(
                    someGradient.rows(from, to),
                    ofKeys.rows(from, to),
                    ofRopes.rows(from, to),
                    ofValues.rows(from, to));
              });
      forEachAttention(
          part -> {
            Products products = place.numerics().products();
            Matrix content = some.content(part / share.heads());
            products.transposedMultiply(
                content,
                ofKeys.columns(part * shape.nope(), (part + 1) * shape.nope()),
                1,
                some.ofPart(weights.keyGradient(), part, shape.nope()));
            products.transposedMultiply(
                content,
                ofValues.columns(part * shape.value(), (part + 1) * shape.value()),
                1,
                some.ofPart(weights.valueGradient(), part, shape.value()));
          });
    }

    private void addToLatents(Matrix into, Matrix ofKeys, Matrix ofRopes, Matrix ofValues) {
      LatentShape shape = share.shape();
      Products products = place.numerics().products();
      int columns = shape.groupColumns();
      int keyColumns = share.heads() * shape.nope();
      int valueColumns = share.valueColumns();
      for (int group = 0; group < share.groups(); group++) {
        Matrix content = into.columns(group * columns, (group + 1) * columns);
        long first = (long) group * columns;
        products.multiplyTransposed(
            ofKeys.columns(group * keyColumns, (group + 1) * keyColumns),
            weights.keys().rows(first, first + columns),
            1,
            content);
        products.multiplyTransposed(
            ofValues.columns(group * valueColumns, (group + 1) * valueColumns),
            weights.values().rows(first, first + columns),
            1,
            content);
      }
      Matrix rope = into.columns(share.columns(), share.latentWidth());
      for (int part = 0; part < share.attentions(); part++) {
        int at = part * shape.rope();
        rows.addScaled(1, ofRopes.columns(at, at + shape.rope()), rope);
      }
    }
  }

  /** For each head of each group. */
  private void forEachAttention(IntConsumer work) {
    place.workers().forEach(share.attentions(), work);
  }

  @Override
  public void close() {
    blocks.close();
  }
}
