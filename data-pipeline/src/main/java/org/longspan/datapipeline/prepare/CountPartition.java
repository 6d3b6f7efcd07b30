package org.longspan.datapipeline.prepare;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.longspan.datapipeline.tokenizer.Tokenizer;

/** Counts what one partition of the ordered documents holds. */
final class CountPartition implements FlatMapFunction<Iterator<Row>, PartitionCount> {
  private static final long serialVersionUID = 1L;

  private final SplitRule rule;
  private final Tokenizer tokenizer;

  CountPartition(SplitRule rule, Tokenizer tokenizer) {
    this.rule = rule;
    this.tokenizer = tokenizer;
  }

  @Override
  public Iterator<PartitionCount> call(Iterator<Row> rows) {
    PartitionCount count = new PartitionCount();
    while (rows.hasNext()) {
      Row row = rows.next();
      Outcome outcome = DocumentRow.outcome(row);
      if (outcome == Outcome.TEXT) {
        long hash = DocumentRow.hash(row);
        byte[] text = DocumentRow.text(row);
        count.add(rule.of(hash), hash, tokenizer.documentLength(text), text.length);
      } else {
        count.skip(outcome, DocumentRow.source(row));
      }
    }
    return List.of(count).iterator();
  }
}
