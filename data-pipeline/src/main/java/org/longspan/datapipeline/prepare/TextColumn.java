package org.longspan.datapipeline.prepare;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.util.SerializableConfiguration;

/** Looks whether a Parquet file has the column of text; an empty sentence where it has. */
final class TextColumn implements Function<String, String> {
  private static final long serialVersionUID = 1L;

  private final SerializableConfiguration hadoop;
  private final String column;

  TextColumn(SerializableConfiguration hadoop, String column) {
    this.hadoop = hadoop;
    this.column = column;
  }

  @Override
  public String call(String path) {
    MessageType schema;
    try (ParquetFileReader reader =
        ParquetFileReader.open(HadoopInputFile.fromPath(new Path(path), hadoop.value()))) {
      schema = reader.getFooter().getFileMetaData().getSchema();
    } catch (IOException | RuntimeException e) {
      return "Parquet file %s is truncated or damaged (%s).".formatted(path, e.getMessage());
    }
    if (!schema.containsField(column)) {
      return "Parquet file %s has no column '%s'; its columns are %s: name the one with the text."
          .formatted(path, column, String.join(", ", names(schema)));
    }
    return holdsText(schema.getType(column))
        ? ""
        : "Column '%s' of Parquet file %s is not text but %s; name a column of strings."
            .formatted(column, path, schema.getType(column));
  }

  private static Iterable<String> names(MessageType schema) {
    return schema.getFields().stream().map(Type::getName).toList();
  }

  private static boolean holdsText(Type type) {
    LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
    return type.isPrimitive()
        && !type.isRepetition(Type.Repetition.REPEATED)
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY
        && (annotation == null
            || annotation.equals(LogicalTypeAnnotation.stringType())
            || annotation.equals(LogicalTypeAnnotation.jsonType()));
  }
}
