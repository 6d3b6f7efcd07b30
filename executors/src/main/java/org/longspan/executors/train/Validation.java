package org.longspan.executors.train;

import org.longspan.datapipeline.dataset.DatasetSplit;
import org.longspan.executors.layer.SliceInput;
import org.longspan.parallelism.mesh.Mesh;

/**
 * The loss over a whole split, over any mesh: the data ranks share its sequences, the sequence
 * ranks each sequence, the tensor ranks each slice.
 */
final class Validation {
  /** Mean over {@code tokens} predicted tokens, in nats. */
  record Result(double loss, long tokens) {}

  private Validation() {}

  static Result over(DatasetSplit split, RankSetup setup, Mesh mesh, int block) {
    double loss = 0;
    long predicted = 0;
    try (SliceReader reader =
        new SliceReader(split.reader(), block, setup.rank().sequence(), mesh.sequence())) {
      for (long sequence = setup.rank().data();
          sequence < split.sequences();
          sequence += mesh.data()) {
        SliceInput slice = reader.read(sequence);
        loss += setup.model().loss(slice);
        predicted += slice.predicted();
      }
    }
    // Every tensor rank has found the same; the first one tells.
    double[] totals = setup.rank().tensor() == 0 ? new double[] {loss, predicted} : new double[2];
    setup.everyone().allReduce(totals);
    return new Result(totals[0] / Math.max(1, totals[1]), (long) totals[1]);
  }
}
