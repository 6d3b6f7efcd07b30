package org.longspan.datapipeline.prepare;

import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.longspan.datapipeline.InvalidInputException;

/** Documents and what was skipped, as rows of {@link DocumentRow}, from all kinds of files. */
final class DocumentSource {
  private static final Pattern PATTERN_CHARACTER = Pattern.compile("[\\[\\]{}*?\\\\]");
  private static final int FILES_PER_TASK = 256;

  private final SparkSession spark;
  private final JavaSparkContext context;
  private final SerializableConfiguration hadoop;
  private final String textColumn;

  DocumentSource(SparkSession spark, String textColumn) {
    this.spark = spark;
    this.context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.hadoop = new SerializableConfiguration(spark.sessionState().newHadoopConf());
    this.textColumn = textColumn;
  }

  JavaRDD<Row> read(InputFiles files) {
    JavaRDD<Row> rows = context.emptyRDD();
    if (!files.texts().isEmpty()) {
      rows = rows.union(spread(files.texts()).mapPartitions(new TextFiles(hadoop)));
    }
    if (!files.archives().isEmpty()) {
      rows =
          rows.union(
              context
                  .parallelize(files.archives(), files.archives().size())
                  .mapPartitions(new Archives(hadoop)));
    }
    if (!files.tables().isEmpty()) {
      rows = rows.union(tables(files.tables()));
    }
    return rows;
  }

  private JavaRDD<Row> tables(List<String> paths) {
    for (String problem : spread(paths).map(new TextColumn(hadoop, textColumn)).collect()) {
      if (!problem.isEmpty()) {
        throw new InvalidInputException(problem);
      }
    }
    return spark
        .read()
        .schema(new StructType().add(textColumn, DataTypes.BinaryType))
        .parquet(paths.stream().map(DocumentSource::literal).toArray(String[]::new))
        .toJavaRDD()
        .map(row -> DocumentRow.of(row.isNullAt(0) ? new byte[0] : row.getAs(0), null));
  }

  /** Spark takes a path for a pattern; a bracket in the name of a listed file is none. */
  private static String literal(String path) {
    return PATTERN_CHARACTER.matcher(path).replaceAll("\\\\$0");
  }

  private JavaRDD<String> spread(List<String> paths) {
    int tasks = Math.max(context.defaultParallelism(), paths.size() / FILES_PER_TASK);
    return context.parallelize(paths, Math.min(paths.size(), tasks));
  }
}
