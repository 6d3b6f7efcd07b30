package org.longspan.datapipeline.prepare;

import java.io.IOException;
import java.io.InputStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The row of a document, or of what was skipped, which has no text. */
final class DocumentRow {
  static final String OUTCOME = "outcome";
  static final String TEXT = "text";
  static final String SOURCE = "source";
  static final String HASH = "hash";

  static final StructType SCHEMA =
      new StructType()
          .add(OUTCOME, DataTypes.StringType, false)
          .add(TEXT, DataTypes.BinaryType, true)
          .add(SOURCE, DataTypes.StringType, true);

  private DocumentRow() {}

  /**
   * The row of some bytes.
   *
   * @param source what people call the place that they were read from; null where it has no name
   */
  static Row of(byte[] bytes, String source) {
    Outcome outcome = Outcome.of(bytes);
    // A document's is not kept: the same texts give the same rows wherever they lie.
    return outcome == Outcome.TEXT
        ? RowFactory.create(outcome.name(), bytes, null)
        : RowFactory.create(outcome.name(), null, source);
  }

  /** Reads no more than the largest document, and one byte to know that there is more. */
  static Row read(InputStream in, String source) throws IOException {
    return of(in.readNBytes(Outcome.LARGEST_DOCUMENT + 1), source);
  }

  /** Null where it has no name. */
  static String source(Row row) {
    return row.getAs(SOURCE);
  }

  static Outcome outcome(Row row) {
    return Outcome.valueOf(row.getAs(OUTCOME));
  }

  static byte[] text(Row row) {
    return row.getAs(TEXT);
  }

  static long hash(Row row) {
    return row.getLong(row.fieldIndex(HASH));
  }
}
