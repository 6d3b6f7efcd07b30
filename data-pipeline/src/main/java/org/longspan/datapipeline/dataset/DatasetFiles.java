package org.longspan.datapipeline.dataset;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.util.HadoopInputFile;

/** Describes a written file for the manifest: from its footer and its bytes. */
public final class DatasetFiles {
  private static final ColumnPath SEQUENCE = ColumnPath.get(PieceSchema.SEQUENCE);

  private DatasetFiles() {}

  /** Reads the file at {@code path} whole, for its checksum. */
  public static DatasetFile describe(Configuration hadoop, Path path) throws IOException {
    HadoopInputFile input = HadoopInputFile.fromPath(path, hadoop);
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    try (ParquetFileReader reader = ParquetFileReader.open(input)) {
      for (BlockMetaData group : reader.getRowGroups()) {
        for (ColumnChunkMetaData column : group.getColumns()) {
          if (column.getPath().equals(SEQUENCE)
              && column.getStatistics() instanceof LongStatistics range) {
            first = Math.min(first, range.getMin());
            last = Math.max(last, range.getMax());
          }
        }
      }
    }
    return new DatasetFile(
        path.getName(),
        first,
        last,
        input.getLength(),
        Checksum.of(path.getFileSystem(hadoop), path));
  }
}
