package org.longspan.executors.latent;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.mesh.Slice;

/**
 * Dense causal attention from queries and latents to outputs, over the ranks of a sequence: keys
 * and values are expanded from the latents a block at a time, never kept and never sent. Work goes
 * out to the workers by heads; which worker takes which head changes no number.
 *
 * <p>Threading: one thread, with the place's workers.
 */
final class LatentCore {
  /** Blocks of keys whose gradients are kept expanded at once. */
  private static final int BLOCKS_AT_ONCE = 4;

  private final LatentShare share;
  private final LatentPlace place;
  private final LatentRows rows;
  private final QueryRoom own;
  private final Matrix latents;
  private final Matrix latentGradient;
  private final LatentSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();
  private LatentPlan plan;
  private QueryExchange exchange;
  private LatentRing ring;
  private int length;
  private QueryRoom taken;
  private List<QueryRows> ownRows = List.of();
  private List<QueryRows> takenRows = List.of();
  private List<QueryRows> allRows = List.of();

  /** What is done for one head, or one head of one group. */
  private interface Piece {
    void accept(LatentSweep sweep, int index);
  }

  LatentCore(LatentShare share, LatentPlace place, LatentRows rows) {
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
    this.sweeps = new LatentSweep[place.workers().threads()];
    Arrays.setAll(
        sweeps, worker -> LatentSweep.of(share.shape(), place, worker, LatentPlan.LONGEST_BLOCK));
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
    return Arrays.stream(sweeps).mapToLong(LatentSweep::pairs).sum() / share.attentions();
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
      attend(sequence(), gathered(), keyWeights, valueWeights, ownRows);
    }
    int value = share.shape().value();
    run(
        share.attentions(),
        (sweep, part) -> {
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
          Slice slice = plan.slices().get(number);
          if (number == me) {
            attend(slice, arrived, keyWeights, valueWeights, ownRows);
            arriving.await();
            attend(slice, arrived, keyWeights, valueWeights, takenRows);
          } else {
            attend(slice, arrived, keyWeights, valueWeights, allRows);
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

  private void attend(
      Slice slice,
      Matrix arrived,
      Matrix keyWeights,
      Matrix valueWeights,
      List<QueryRows> queries) {
    int blocks = blocks(slice);
    run(
        share.attentions(),
        (sweep, part) -> {
          int head = part % share.heads();
          for (int block = blocks - 1; block >= 0; block--) {
            if (!isSeen(slice, block, block + 1, queries)) {
              continue;
            }
            expand(sweep, slice, block, part, arrived, keyWeights, valueWeights);
            for (QueryRows some : queries) {
              if (isSeen(slice, block, block + 1, some)) {
                QueryRoom room = some.room();
                sweep.forward(
                    some.block().first(),
                    some.lowest(),
                    some.of(room.queries(), head, share.shape().keyWidth()),
                    some.of(room.attended(), part, share.shape().value()),
                    some.of(room.maxima(), part, 1),
                    some.of(room.logSums(), part, 1));
              }
            }
          }
        });
  }

  private int blocks(Slice slice) {
    return Math.toIntExact((slice.length() + plan.blockLength() - 1) / plan.blockLength());
  }

  private long edge(Slice slice, int block) {
    return Math.min(slice.length(), (long) block * plan.blockLength());
  }

  private boolean isSeen(Slice slice, int from, int to, QueryRows queries) {
    return queries.block().sees(slice.start() + edge(slice, from), slice.start() + edge(slice, to));
  }

  private boolean isSeen(Slice slice, int from, int to, List<QueryRows> queries) {
    for (QueryRows some : queries) {
      if (isSeen(slice, from, to, some)) {
        return true;
      }
    }
    return false;
  }

  private void expand(
      LatentSweep sweep,
      Slice slice,
      int block,
      int part,
      Matrix arrived,
      Matrix keyWeights,
      Matrix valueWeights) {
    Matrix keys = arrived.rows(edge(slice, block), edge(slice, block + 1));
    int group = part / share.heads();
    int columns = share.shape().groupColumns();
    sweep.expand(
        keys.columns(group * columns, (group + 1) * columns),
        keys.columns(share.columns(), share.latentWidth()),
        ofPart(keyWeights, part, share.shape().nope()),
        ofPart(valueWeights, part, share.shape().value()),
        slice.start() + edge(slice, block));
  }

  /** A group's rows and a head's columns of {@code [columns, heads · width]}. */
  private Matrix ofPart(Matrix weights, int part, int width) {
    int group = part / share.heads();
    int head = part % share.heads();
    int columns = share.shape().groupColumns();
    return weights
        .rows((long) group * columns, (long) (group + 1) * columns)
        .columns(head * width, (head + 1) * width);
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
              new SliceGradient(plan.slices().get(number), arrived, gradient, weights);
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
      new SliceGradient(sequence, all, order.tile(), weights).run(ofTile);
      take.run();
      order.end(first / place.tile());
    }
    Matrix total = room("gathered latent gradients", sequence.length(), share.latentWidth());
    order.finish(total);
    latentGradient.rows(0, length).set(total.rows(slice.start(), slice.end()));
  }

  private void findMeans(QueryRoom slice) {
    int value = share.shape().value();
    run(
        share.attentions(),
        (sweep, part) -> {
          int head = part % share.heads();
          rows.dots(
              slice.attended().columns(part * value, (part + 1) * value),
              slice.attendedGradient().columns(head * value, (head + 1) * value),
              slice.means().columns(part, part + 1));
        });
  }

  /** The backward of one slice's keys and some queries. */
  private final class SliceGradient {
    private final Slice slice;
    private final Matrix arrived;
    private final Matrix gradient;
    private final WeightMatrices weights;

    SliceGradient(Slice slice, Matrix arrived, Matrix gradient, WeightMatrices weights) {
      this.slice = slice;
      this.arrived = arrived;
      this.gradient = gradient;
      this.weights = weights;
    }

    void run(List<QueryRows> queries) {
      // From the last one on, as the ring brings slices: then keys come in one order.
      for (int last = blocks(slice); last > 0; last -= BLOCKS_AT_ONCE) {
        int first = Math.max(0, last - BLOCKS_AT_ONCE);
        if (isSeen(slice, first, last, queries)) {
          run(first, last, queries);
        }
      }
    }

    private void run(int first, int last, List<QueryRows> queries) {
      LatentShape shape = share.shape();
      long start = edge(slice, first);
      long count = edge(slice, last) - start;
      Matrix ofKeys = room("key gradient", count, share.attentions() * shape.nope());
      Matrix ofRopes = room("rope gradient", count, share.attentions() * shape.rope());
      Matrix ofValues = room("value gradient", count, share.attentions() * shape.value());
      LatentCore.this.run(
          share.heads(),
          (sweep, head) -> {
            // The groups of a head add to the same gradient of queries.
            for (int group = 0; group < share.groups(); group++) {
              int part = group * share.heads() + head;
              for (int block = last - 1; block >= first; block--) {
                long from = edge(slice, block) - start;
                long to = edge(slice, block + 1) - start;
                backward(sweep, block, part, queries);
                sweep.finishGradients(
                    cell(ofKeys, from, to, part, shape.nope()),
                    cell(ofRopes, from, to, part, shape.rope()),
                    cell(ofValues, from, to, part, shape.value()));
              }
            }
          });
      LatentCore.this.run(
          last - first,
          (sweep, block) -> {
            long from = edge(slice, first + block) - start;
            long to = edge(slice, first + block + 1) - start;
            addToLatents(
                gradient.rows(start + from, start + to),
                ofKeys.rows(from, to),
                ofRopes.rows(from, to),
                ofValues.rows(from, to));
          });
      Matrix keys = arrived.rows(start, start + count);
      LatentCore.this.run(
          share.attentions(),
          (sweep, part) -> {
            int group = part / share.heads();
            Products products = place.numerics().products();
            Matrix content = cell(keys, 0, count, group, shape.groupColumns());
            products.transposedMultiply(
                content,
                cell(ofKeys, 0, count, part, shape.nope()),
                1,
                ofPart(weights.keyGradient(), part, shape.nope()));
            products.transposedMultiply(
                content,
                cell(ofValues, 0, count, part, shape.value()),
                1,
                ofPart(weights.valueGradient(), part, shape.value()));
          });
    }

    private void backward(LatentSweep sweep, int block, int part, List<QueryRows> queries) {
      int head = part % share.heads();
      LatentShape shape = share.shape();
      expand(sweep, slice, block, part, arrived, weights.keys(), weights.values());
      sweep.startGradients();
      for (QueryRows some : queries) {
        if (isSeen(slice, block, block + 1, some)) {
          QueryRoom room = some.room();
          sweep.backward(
              some.block().first(),
              some.lowest(),
              some.of(room.queries(), head, shape.keyWidth()),
              some.of(room.attendedGradient(), head, shape.value()),
              some.of(room.logSums(), part, 1),
              some.of(room.means(), part, 1),
              some.of(room.queryGradient(), head, shape.keyWidth()));
        }
      }
    }

    private Matrix cell(Matrix matrix, long from, long to, int part, int width) {
      return matrix.rows(from, to).columns(part * width, (part + 1) * width);
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

  private void run(int pieces, Piece piece) {
    next.set(0);
    place
        .workers()
        .forEach(
            Math.min(pieces, sweeps.length),
            worker -> {
              for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
                piece.accept(sweeps[worker], i);
              }
            });
  }
}
