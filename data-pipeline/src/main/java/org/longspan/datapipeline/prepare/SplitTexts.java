package org.longspan.datapipeline.prepare;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.longspan.datapipeline.dataset.Split;

/** The texts of one split among the rows of a partition. */
final class SplitTexts implements Iterator<byte[]> {
  private final SplitRule rule;
  private final Split split;
  private final Iterator<Row> rows;
  private byte[] pending;

  SplitTexts(SplitRule rule, Split split, Iterator<Row> rows) {
    this.rule = rule;
    this.split = split;
    this.rows = rows;
  }

  @Override
  public boolean hasNext() {
    while (pending == null && rows.hasNext()) {
      Row row = rows.next();
      if (DocumentRow.outcome(row) == Outcome.TEXT && rule.of(DocumentRow.hash(row)) == split) {
        pending = DocumentRow.text(row);
      }
    }
    return pending != null;
  }

  @Override
  public byte[] next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The documents of " + split.folder() + " are over");
    }
    byte[] text = pending;
    pending = null;
    return text;
  }
}
