package org.longspan.datapipeline.prepare;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.util.SerializableConfiguration;
import org.longspan.datapipeline.dataset.DatasetFile;
import org.longspan.datapipeline.dataset.DatasetFiles;

/** Describes a written file, as a line of text: Spark's Kryo cannot send records. */
final class DescribeFile implements Function<String, String> {
  private static final long serialVersionUID = 1L;

  private final SerializableConfiguration hadoop;

  DescribeFile(SerializableConfiguration hadoop) {
    this.hadoop = hadoop;
  }

  @Override
  public String call(String path) throws IOException {
    DatasetFile file = DatasetFiles.describe(hadoop.value(), new Path(path));
    return String.join(
        "\t",
        file.name(),
        Long.toString(file.firstSequence()),
        Long.toString(file.lastSequence()),
        Long.toString(file.size()),
        file.checksum());
  }

  static DatasetFile parse(String line) {
    String[] fields = line.split("\t", -1);
    return new DatasetFile(
        fields[0],
        Long.parseLong(fields[1]),
        Long.parseLong(fields[2]),
        Long.parseLong(fields[3]),
        fields[4]);
  }
}
