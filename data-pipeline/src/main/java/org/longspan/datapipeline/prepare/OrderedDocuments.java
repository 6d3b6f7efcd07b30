package org.longspan.datapipeline.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.shiftright;
import static org.apache.spark.sql.functions.shiftrightunsigned;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.SequenceLayout;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.packing.Fragment;
import org.longspan.datapipeline.tokenizer.Tokenizer;

/**
 * Documents in the order of the hash of their text: a shuffle that depends on nothing but the
 * texts. Partition {@code i} of {@code n} holds the i-th of n equal ranges of hashes; equal hashes
 * are ordered by the texts. Counted once, then packed split by split.
 */
final class OrderedDocuments {
  /** Hashes are spread by their upper bits, of which so many are used. */
  private static final int RANGE_BITS = 31;

  private final JavaRDD<Row> rows;
  private final Tokenizer tokenizer;
  private final SplitRule rule;
  private final List<PartitionCount> counts;

  private OrderedDocuments(
      JavaRDD<Row> rows, Tokenizer tokenizer, SplitRule rule, List<PartitionCount> counts) {
    this.rows = rows;
    this.tokenizer = tokenizer;
    this.rule = rule;
    this.counts = counts;
  }

  /** Orders and counts the documents and settles which split each lies in. */
  static OrderedDocuments of(
      SparkSession spark,
      JavaRDD<Row> documents,
      int partitions,
      Tokenizer tokenizer,
      double validationShare) {
    Column hash = col(DocumentRow.HASH);
    JavaRDD<Row> rows =
        spark
            .createDataFrame(documents, DocumentRow.SCHEMA)
            .withColumn(DocumentRow.HASH, xxhash64(col(DocumentRow.TEXT)))
            .repartitionById(partitions, range(hash, partitions))
            .sortWithinPartitions(hash, col(DocumentRow.TEXT), col(DocumentRow.SOURCE))
            .toJavaRDD();
    SplitRule rule = SplitRule.ByShare.rounded(validationShare);
    OrderedDocuments ordered = counted(rows, tokenizer, rule);
    return validationShare > 0 ? ordered.withBothSplits() : ordered;
  }

  /** The sum over all partitions. */
  PartitionCount count() {
    PartitionCount sum = new PartitionCount();
    counts.forEach(sum::add);
    return sum;
  }

  /** The fragments of a split's sequences. */
  JavaRDD<Fragment> pack(Split split, SequenceLayout layout) {
    long[] positions = new long[counts.size()];
    for (int i = 1; i < positions.length; i++) {
      positions[i] = positions[i - 1] + counts.get(i - 1).of(split).tokens();
    }
    return rows.mapPartitionsWithIndex(
        new PackPartition(rule, split, tokenizer, layout, positions), true);
  }

  private static OrderedDocuments counted(JavaRDD<Row> rows, Tokenizer tokenizer, SplitRule rule) {
    return new OrderedDocuments(
        rows, tokenizer, rule, rows.mapPartitions(new CountPartition(rule, tokenizer)).collect());
  }

  private OrderedDocuments withBothSplits() {
    PartitionCount sum = count();
    if (sum.documents() == 0) {
      return this;
    }
    if (sum.smallestHash() == sum.largestHash()) {
      throw new InvalidInputException(
          "The input holds one text only (documents: %d), and validation needs another; add documents or set the validation share to 0."
              .formatted(sum.documents()));
    }
    if (sum.of(Split.VALIDATION).documents() == 0) {
      return counted(rows, tokenizer, new SplitRule.OneForValidation(sum.smallestHash()));
    }
    if (sum.of(Split.TRAIN).documents() == 0) {
      return counted(rows, tokenizer, new SplitRule.OneForTraining(sum.largestHash()));
    }
    return this;
  }

  /** Scales the hash, taken as an unsigned number in the order of the signed one, to a range. */
  private static Column range(Column hash, int partitions) {
    Column upper = shiftrightunsigned(hash.bitwiseXOR(lit(Long.MIN_VALUE)), Long.SIZE - RANGE_BITS);
    return shiftright(upper.multiply(lit((long) partitions)), RANGE_BITS)
        .cast(DataTypes.IntegerType);
  }
}
