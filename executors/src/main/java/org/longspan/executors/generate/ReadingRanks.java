package org.longspan.executors.generate;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.executors.layer.Span;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;

/**
 * The ranks that read one text together, each with its share of the model, as one of them sees
 * them. Each holds the stream whole, the same to the last bit.
 *
 * <p>Threading: the rank's own thread; every rank calls the same in the same order.
 */
final class ReadingRanks {
  private final Communicator tensor;
  private final ElementType type;

  ReadingRanks(Communicator tensor, Precision precision) {
    this.tensor = tensor;
    this.type =
        switch (precision) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
  }

  Communicator communicator() {
    return tensor;
  }

  /** Which share of the model this rank has. */
  TensorPlace place() {
    return new TensorPlace(tensor.index(), tensor.size());
  }

  /** Adds to {@code stream}, on every rank, what each rank's {@code part} adds to it. */
  void add(Matrix stream, Runnable part) {
    if (tensor.index() > 0) {
      stream.zero();
    }
    part.run();
    sum(stream);
  }

  /** Sums {@code rows}, contiguous, over the ranks, in place. */
  void sum(Matrix rows) {
    if (tensor.size() > 1) {
      tensor.allReduce(rows.bytes(), type);
    }
  }

  /** Collects the shares that the ranks have of the columns of {@code row}, {@code [1, …]}. */
  void gather(Matrix row) {
    if (tensor.size() > 1) {
      tensor.allGather(parts(row));
    }
  }

  private List<ByteBuffer> parts(Matrix row) {
    return IntStream.range(0, tensor.size())
        .mapToObj(rank -> new TensorPlace(rank, tensor.size()).share(row.columns()))
        .map((Span share) -> row.columns(share.from(), share.to()).bytes())
        .toList();
  }
}
