package org.longspan.datapipeline.prepare;

import java.util.Iterator;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Row;
import org.longspan.datapipeline.dataset.SequenceLayout;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.packing.Fragment;
import org.longspan.datapipeline.packing.SequencePacker;
import org.longspan.datapipeline.tokenizer.Tokenizer;

/** Packs one split's documents of one partition, from the partition's place in the split on. */
final class PackPartition implements Function2<Integer, Iterator<Row>, Iterator<Fragment>> {
  private static final long serialVersionUID = 1L;

  private final SplitRule rule;
  private final Split split;
  private final Tokenizer tokenizer;
  private final SequenceLayout layout;
  private final long[] positions;

  /**
   * @param positions for each partition, the tokens of the split in the partitions before
   */
  PackPartition(
      SplitRule rule, Split split, Tokenizer tokenizer, SequenceLayout layout, long[] positions) {
    this.rule = rule;
    this.split = split;
    this.tokenizer = tokenizer;
    this.layout = layout;
    this.positions = positions;
  }

  @Override
  public Iterator<Fragment> call(Integer partition, Iterator<Row> rows) {
    return new SequencePacker(
        tokenizer, layout, new SplitTexts(rule, split, rows), positions[partition]);
  }
}
