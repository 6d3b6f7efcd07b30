package org.longspan.executors.latent;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.executors.memory.Matrix;

/**
 * {@link LatentBlocks} on the processor: keys and values are expanded a block at a time for one
 * head. Work goes out to the workers by heads; which worker takes which head changes no number.
 */
final class ProcessorBlocks implements LatentBlocks {
  /** Blocks of keys whose gradients are kept expanded at once. */
  private static final int AT_ONCE = 4;

  private final LatentShare share;
  private final LatentPlace place;
  private final String description;
  private final LatentSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();

  /** What is done for one head, or one head of one group. */
  private interface Piece {
    void accept(LatentSweep sweep, int index);
  }

  ProcessorBlocks(LatentShare share, LatentPlace place, String description) {
    this.share = share;
    this.place = place;
    this.description = description;
    this.sweeps = new LatentSweep[place.workers().threads()];
    Arrays.setAll(
        sweeps, worker -> LatentSweep.of(share.shape(), place, worker, LatentPlan.LONGEST_BLOCK));
  }

  @Override
  public int atOnce(int blockLength) {
    return AT_ONCE;
  }

  @Override
  public void forward(LatentKeys keys, List<QueryRows> queries) {
    int value = share.shape().value();
    run(
        share.attentions(),
        (sweep, part) -> {
          int head = part % share.heads();
          for (int number = keys.blocks() - 1; number >= 0; number--) {
            LatentKeys block = keys.part(number, number + 1);
            if (!block.isSeen(queries)) {
              continue;
            }
            expand(sweep, block, part);
            for (QueryRows some : queries) {
              if (block.isSeen(some)) {
                QueryRoom room = some.room();
                sweep.forward(
                    some.block().first(),
                    some.lowest(),
                    some.of(room.queries(), head, share.shape().keyWidth()),
                    some.of(room.attended(), part, value),
                    some.of(room.maxima(), part, 1),
                    some.of(room.logSums(), part, 1));
              }
            }
          }
        });
  }

  private void expand(LatentSweep sweep, LatentKeys block, int part) {
    sweep.expand(
        block.content(part / share.heads()),
        block.rope(),
        block.ofPart(block.keyWeights(), part, share.shape().nope()),
        block.ofPart(block.valueWeights(), part, share.shape().value()),
        block.positions().start());
  }

  @Override
  public void backward(
      LatentKeys keys, List<QueryRows> queries, Matrix ofKeys, Matrix ofRopes, Matrix ofValues) {
    LatentShape shape = share.shape();
    run(
        share.heads(),
        (sweep, head) -> {
          // The groups of a head add to the same gradient of queries.
          for (int group = 0; group < share.groups(); group++) {
            int part = group * share.heads() + head;
            for (int number = keys.blocks() - 1; number >= 0; number--) {
              long from = keys.edge(number);
              long to = keys.edge(number + 1);
              backward(sweep, keys.part(number, number + 1), part, queries);
              sweep.finishGradients(
                  cell(ofKeys, from, to, part, shape.nope()),
                  cell(ofRopes, from, to, part, shape.rope()),
                  cell(ofValues, from, to, part, shape.value()));
            }
          }
        });
  }

  private void backward(LatentSweep sweep, LatentKeys block, int part, List<QueryRows> queries) {
    int head = part % share.heads();
    LatentShape shape = share.shape();
    expand(sweep, block, part);
    sweep.startGradients();
    for (QueryRows some : queries) {
      if (block.isSeen(some)) {
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

  private static Matrix cell(Matrix matrix, long from, long to, int part, int width) {
    return matrix.rows(from, to).columns(part * width, (part + 1) * width);
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

  @Override
  public long pairs() {
    return Arrays.stream(sweeps).mapToLong(LatentSweep::pairs).sum() / share.attentions();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    // Scratch belongs to the place's memory.
  }
}
