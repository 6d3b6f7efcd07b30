package org.longspan.executors.latent;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.longspan.executors.kernel.PartialAttention;
import org.longspan.executors.kernel.SoftmaxRanges;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Matrix;

/**
 * {@link LatentBlocks} on a device: keys and values of some blocks are expanded for all heads of a
 * group on the processor and taken to the device with some of the queries that see them; what comes
 * back for each query is joined with what other keys gave by the sums of exponentials. How many
 * keys and queries go at once depends on the device and the shape alone, so that results do not
 * depend on ranks.
 */
final class DeviceBlocks implements LatentBlocks {
  private final LatentShare share;
  private final LatentPlace place;
  private final LatentRows rows;
  private final PartialAttention attention;
  private long pairs;

  DeviceBlocks(LatentShare share, LatentPlace place, PartialAttention attention) {
    this.share = share;
    this.place = place;
    this.rows = LatentRows.of(place.numerics().precision());
    this.attention = attention;
  }

  @Override
  public int atOnce(int blockLength) {
    return Math.max(1, attention.span() / blockLength);
  }

  @Override
  public void forward(LatentKeys keys, List<QueryRows> queries) {
    int atOnce = atOnce(keys.blockLength());
    for (int last = keys.blocks(); last > 0; last -= atOnce) {
      LatentKeys some = keys.part(Math.max(0, last - atOnce), last);
      List<Batch> batches = batches(some, queries);
      for (int group = 0; group < (batches.isEmpty() ? 0 : share.groups()); group++) {
        Expanded expanded = expand(some, group);
        for (Batch batch : batches) {
          forward(expanded, batch, group);
        }
      }
    }
  }

  private void forward(Expanded expanded, Batch batch, int group) {
    LatentShape shape = share.shape();
    Matrix outputs = room("outputs", batch.count(), share.valueColumns());
    Matrix logSums = room("log sums", batch.count(), share.heads());
    attention.forward(
        packed("queries", batch, share.queryColumns(), 0, QueryRoom::queries),
        expanded.keys(),
        expanded.values(),
        batch.seen(),
        outputs,
        logSums);
    forEachHead(
        head -> {
          int part = group * share.heads() + head;
          for (Rows some : batch.rows()) {
            rows.joinSoftmax(
                some.packed(outputs).columns(head * shape.value(), (head + 1) * shape.value()),
                some.packed(logSums).columns(head, head + 1),
                some.of(QueryRoom::attended, part, shape.value()),
                some.of(QueryRoom::maxima, part, 1),
                some.of(QueryRoom::logSums, part, 1));
          }
        });
    pairs += batch.pairs();
  }

  @Override
  public void backward(
      LatentKeys keys, List<QueryRows> queries, Matrix ofKeys, Matrix ofRopes, Matrix ofValues) {
    ofKeys.zero();
    ofRopes.zero();
    ofValues.zero();
    List<Batch> batches = batches(keys, queries);
    for (int group = 0; group < (batches.isEmpty() ? 0 : share.groups()); group++) {
      Expanded expanded = expand(keys, group);
      for (Batch batch : batches) {
        backward(expanded, batch, group, ofKeys, ofRopes, ofValues);
      }
    }
  }

  private void backward(
      Expanded expanded, Batch batch, int group, Matrix ofKeys, Matrix ofRopes, Matrix ofValues) {
    LatentShape shape = share.shape();
    long keys = expanded.keys().rows();
    Matrix queryGradient = room("query gradient", batch.count(), share.queryColumns());
    Matrix keyGradient = room("key gradient", keys, share.queryColumns());
    Matrix valueGradient = room("value gradient", keys, share.valueColumns());
    int first = group * share.heads();
    attention.backward(
        packed("queries", batch, share.queryColumns(), 0, QueryRoom::queries),
        expanded.keys(),
        expanded.values(),
        packed("log sums", batch, share.heads(), first, QueryRoom::logSums),
        packed("means", batch, share.heads(), first, QueryRoom::means),
        packed("output gradient", batch, share.valueColumns(), 0, QueryRoom::attendedGradient),
        batch.seen(),
        queryGradient,
        keyGradient,
        valueGradient);
    forEachHead(
        head -> {
          int part = first + head;
          int at = head * shape.keyWidth();
          Matrix ofHead = keyGradient.columns(at, at + shape.keyWidth());
          rows.addScaled(1, ofHead.columns(0, shape.nope()), cell(ofKeys, part, shape.nope()));
          rows.addScaled(
              1, ofHead.columns(shape.nope(), shape.keyWidth()), cell(ofRopes, part, shape.rope()));
          rows.addScaled(
              1, cell(valueGradient, head, shape.value()), cell(ofValues, part, shape.value()));
          for (Rows some : batch.rows()) {
            rows.addScaled(
                1,
                some.packed(queryGradient).columns(at, at + shape.keyWidth()),
                some.of(QueryRoom::queryGradient, head, shape.keyWidth()));
          }
        });
    pairs += batch.pairs();
  }

  private static Matrix cell(Matrix matrix, int part, int width) {
    return matrix.columns(part * width, (part + 1) * width);
  }

  /** Keys {@code [tokens, heads · keyWidth]} and values of one group, for all heads. */
  private record Expanded(Matrix keys, Matrix values) {}

  private Expanded expand(LatentKeys keys, int group) {
    LatentShape shape = share.shape();
    Products products = place.numerics().products();
    Expanded expanded =
        new Expanded(
            room("keys", keys.length(), share.queryColumns()),
            room("values", keys.length(), share.valueColumns()));
    Matrix content = keys.content(group);
    forEachHead(
        head -> {
          int part = group * share.heads() + head;
          int at = head * shape.keyWidth();
          products.multiply(
              content,
              keys.ofPart(keys.keyWeights(), part, shape.nope()),
              0,
              expanded.keys().columns(at, at + shape.nope()));
          expanded.keys().columns(at + shape.nope(), at + shape.keyWidth()).set(keys.rope());
          products.multiply(
              content,
              keys.ofPart(keys.valueWeights(), part, shape.value()),
              0,
              cell(expanded.values(), head, shape.value()));
        });
    return expanded;
  }

  private interface Head {
    void accept(int head);
  }

  private void forEachHead(Head work) {
    place.workers().forEach(share.heads(), work::accept);
  }

  private Matrix room(String name, long count, int columns) {
    return LatentRoom.of(place.memory(), "latent device " + name, count, columns);
  }

  /** Some columns of a batch's rows, one behind the other. */
  private Matrix packed(
      String name, Batch batch, int columns, int part, Function<QueryRoom, Matrix> matrix) {
    Matrix all = room("packed " + name, batch.count(), columns);
    place
        .workers()
        .forEach(
            batch.rows().size(),
            i -> {
              Rows some = batch.rows().get(i);
              some.packed(all).set(some.of(matrix).columns(part, part + columns));
            });
    return all;
  }

  /**
   * Rows of one block that see some of the keys.
   *
   * @param first of the block
   * @param place of the first of them in a batch
   */
  private record Rows(QueryRows block, int first, int count, int place) {
    Matrix of(Function<QueryRoom, Matrix> matrix) {
      return block.of(matrix.apply(block.room())).rows(first, (long) first + count);
    }

    Matrix of(Function<QueryRoom, Matrix> matrix, int part, int width) {
      return cell(of(matrix), part, width);
    }

    Matrix packed(Matrix batch) {
      return batch.rows(place, (long) place + count);
    }
  }

  /** Queries that go to the keys at once, in the order of their positions. */
  private record Batch(List<Rows> rows, SoftmaxRanges seen, int count, long pairs) {
    static Batch of(List<Rows> rows, LatentKeys keys) {
      Rows last = rows.get(rows.size() - 1);
      int count = last.place() + last.count();
      int length = Math.toIntExact(keys.length());
      long start = keys.positions().start();
      int[] lowest = new int[count];
      int[] ends = new int[count];
      long pairs = 0;
      for (Rows some : rows) {
        for (int i = 0; i < some.count(); i++) {
          int row = some.first() + i;
          int at = some.place() + i;
          lowest[at] = (int) Math.max(0, some.block().lowest()[row] - start);
          ends[at] = (int) Math.min(length, some.block().block().first() + row + 1 - start);
          pairs += ends[at] - lowest[at];
        }
      }
      return new Batch(rows, new SoftmaxRanges(lowest, ends, length), count, pairs);
    }
  }

  private List<Batch> batches(LatentKeys keys, List<QueryRows> queries) {
    List<QueryRows> inOrder =
        queries.stream()
            .filter(keys::isSeen)
            .sorted(Comparator.comparingLong(some -> some.block().first()))
            .toList();
    List<Batch> batches = new ArrayList<>();
    List<Rows> gathered = new ArrayList<>();
    int count = 0;
    for (QueryRows block : inOrder) {
      int first = (int) Math.max(0, keys.positions().start() - block.block().first());
      int end = block.block().rows();
      while (end > first && block.lowest()[end - 1] >= keys.positions().end()) {
        end--;
      }
      if (first == end) {
        continue;
      }
      if (count > 0 && count + end - first > attention.span()) {
        batches.add(Batch.of(List.copyOf(gathered), keys));
        gathered.clear();
        count = 0;
      }
      gathered.add(new Rows(block, first, end - first, count));
      count += end - first;
    }
    if (count > 0) {
      batches.add(Batch.of(List.copyOf(gathered), keys));
    }
    return batches;
  }

  @Override
  public long pairs() {
    return pairs / share.groups();
  }

  @Override
  public String description() {
    return attention.description();
  }

  @Override
  public void close() {
    attention.close();
  }
}
