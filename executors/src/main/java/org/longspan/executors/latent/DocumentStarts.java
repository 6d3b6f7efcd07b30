package org.longspan.executors.latent;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.kernel.Documents;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.Slice;

/** Where the documents of a whole sequence start, ascending. */
final class DocumentStarts {
  private final long[] starts;

  private DocumentStarts(long[] starts) {
    this.starts = starts;
  }

  /**
   * Collects what each rank knows of its own slice. A collective.
   *
   * @param slices of the sequence, one for each rank of {@code sequence}, in order
   */
  static DocumentStarts gather(Communicator sequence, List<Slice> slices, Documents own) {
    long first = slices.get(sequence.index()).start();
    double[] counts = new double[sequence.size()];
    counts[sequence.index()] = own.count();
    sequence.allReduce(counts);
    int total = Arrays.stream(counts).mapToInt(count -> (int) count).sum();
    ByteBuffer all = ByteBuffer.allocateDirect(total * Long.BYTES).order(ByteOrder.nativeOrder());
    List<ByteBuffer> parts = new ArrayList<>();
    int from = 0;
    for (double count : counts) {
      int bytes = Long.BYTES * (int) count;
      parts.add(all.slice(from, bytes).order(ByteOrder.nativeOrder()));
      from += bytes;
    }
    ByteBuffer mine = parts.get(sequence.index());
    for (int i = 0; i < own.count(); i++) {
      mine.putLong(i * Long.BYTES, first + own.start(i));
    }
    sequence.allGather(parts);
    long[] starts = new long[total];
    all.asLongBuffer().get(starts);
    return new DocumentStarts(starts);
  }

  /** Of one slice alone, which starts at {@code first}. */
  static DocumentStarts of(long first, Documents own) {
    long[] starts = new long[own.count()];
    Arrays.setAll(starts, i -> first + own.start(i));
    return new DocumentStarts(starts);
  }

  /** The first token of {@code token}'s document, at least 0. */
  long startOf(long token) {
    int place = Arrays.binarySearch(starts, token);
    int document = place >= 0 ? place : -place - 2;
    return document >= 0 ? starts[document] : 0;
  }
}
