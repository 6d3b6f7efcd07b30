package org.longspan.datapipeline.prepare;

import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/** Reads each entry of each archive as one document. */
final class Archives implements FlatMapFunction<Iterator<String>, Row> {
  private static final long serialVersionUID = 1L;

  private final SerializableConfiguration hadoop;

  Archives(SerializableConfiguration hadoop) {
    this.hadoop = hadoop;
  }

  @Override
  public Iterator<Row> call(Iterator<String> paths) {
    ArchiveEntries entries = new ArchiveEntries(hadoop, paths);
    TaskCompletionListener closing = context -> entries.close();
    TaskContext.get().addTaskCompletionListener(closing);
    return entries;
  }
}
