package org.longspan.datapipeline.prepare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.expr;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.longspan.datapipeline.dataset.DatasetFile;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.datapipeline.dataset.PieceSchema;
import org.longspan.datapipeline.packing.Fragment;
import org.longspan.datapipeline.packing.PieceMerger;

/** Writes the pieces of one split in the order of the sequences, whole sequences to a file. */
final class SplitWriter {
  /**
   * Small pages and row groups: a slice is a few pages, and the indexes that lead to them are a few
   * kilobytes. Tokens are plain integers under Zstandard, which is smaller than a dictionary's bits
   * and needs no dictionary page.
   */
  private static final Map<String, String> OPTIONS =
      Map.of(
          "compression", "zstd",
          "maxRecordsPerFile", "0",
          "parquet.block.size", "1048576",
          "parquet.page.row.count.limit", "8",
          "parquet.page.size.row.check.min", "8",
          "parquet.enable.dictionary", "false",
          "parquet.page.write-checksum.enabled", "true",
          "mapreduce.fileoutputcommitter.marksuccessfuljobs", "false");

  private final SparkSession spark;
  private final Location folder;

  SplitWriter(SparkSession spark, Location folder) {
    this.spark = spark;
    this.folder = folder;
  }

  /** Writes sequences {@code [0, sequences)}, about {@code sequencesPerFile} to a file. */
  List<DatasetFile> write(JavaRDD<Fragment> fragments, long sequences, long sequencesPerFile)
      throws IOException {
    Encoder<Fragment> encoder = Encoders.bean(Fragment.class);
    MapPartitionsFunction<Fragment, Fragment> merge = PieceMerger::new;
    int files = Math.toIntExact((sequences - 1) / sequencesPerFile + 1);
    spark
        .createDataset(fragments.rdd(), encoder)
        .repartitionById(files, expr("cast(sequence div %d as int)".formatted(sequencesPerFile)))
        .sortWithinPartitions("sequence", "piece", "start")
        .mapPartitions(merge, encoder)
        .select(
            col("sequence").as(PieceSchema.SEQUENCE),
            col("piece").as(PieceSchema.PIECE),
            col("tokens").as(PieceSchema.TOKENS),
            col("documentStarts").as(PieceSchema.DOCUMENT_STARTS),
            col("carried").as(PieceSchema.CARRIED))
        .write()
        .mode(SaveMode.ErrorIfExists)
        .options(OPTIONS)
        .parquet(folder.path().toString());
    return describe(sequences);
  }

  private List<DatasetFile> describe(long sequences) throws IOException {
    List<String> paths = new ArrayList<>();
    for (FileStatus file : folder.fileSystem().listStatus(folder.path())) {
      if (file.getPath().getName().endsWith(".parquet")) {
        paths.add(file.getPath().toString());
      }
    }
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sessionState().newHadoopConf());
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    List<DatasetFile> files =
        context.parallelize(paths, paths.size()).map(new DescribeFile(hadoop)).collect().stream()
            .map(DescribeFile::parse)
            .sorted(Comparator.comparingLong(DatasetFile::firstSequence))
            .toList();
    long next = 0;
    for (DatasetFile file : files) {
      if (file.firstSequence() != next) {
        throw new IllegalStateException(
            "File %s begins with sequence %d instead of %d"
                .formatted(file.name(), file.firstSequence(), next));
      }
      next = file.lastSequence() + 1;
    }
    if (next != sequences) {
      throw new IllegalStateException(
          "Folder %s holds %d sequences instead of %d".formatted(folder.path(), next, sequences));
    }
    return files;
  }
}
