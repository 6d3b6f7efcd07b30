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
  static final String HASH = "hash";

  static final StructType SCHEMA =
      new StructType()
          .add(OUTCOME, DataTypes.StringType, false)
          .add(TEXT, DataTypes.BinaryType, true);

  private DocumentRow() {}

  static Row of(byte[] bytes) {
    Outcome outcome = Outcome.of(bytes);
    return RowFactory.create(outcome.name(), outcome == Outcome.TEXT ? bytes : null);
  }

  /** Reads no more than the largest document, and one byte to know that there is more. */
  static Row read(InputStream in) throws IOException {
    return of(in.readNBytes(Outcome.LARGEST_DOCUMENT + 1));
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
