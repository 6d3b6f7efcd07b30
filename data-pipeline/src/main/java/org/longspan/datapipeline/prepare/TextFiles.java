package org.longspan.datapipeline.prepare;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.longspan.datapipeline.dataset.Location;

/** Reads each file as one document. */
final class TextFiles implements FlatMapFunction<Iterator<String>, Row> {
  private static final long serialVersionUID = 1L;

  private final SerializableConfiguration hadoop;

  TextFiles(SerializableConfiguration hadoop) {
    this.hadoop = hadoop;
  }

  @Override
  public Iterator<Row> call(Iterator<String> paths) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return paths.hasNext();
      }

      @Override
      public Row next() {
        return read(new Path(paths.next()));
      }
    };
  }

  private Row read(Path path) {
    try (InputStream in = path.getFileSystem(hadoop.value()).open(path)) {
      return DocumentRow.read(in, Location.shown(path.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + path, e);
    }
  }
}
