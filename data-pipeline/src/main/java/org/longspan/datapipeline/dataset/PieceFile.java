package org.longspan.datapipeline.dataset;

import static org.apache.parquet.filter2.predicate.FilterApi.and;
import static org.apache.parquet.filter2.predicate.FilterApi.eq;
import static org.apache.parquet.filter2.predicate.FilterApi.gtEq;
import static org.apache.parquet.filter2.predicate.FilterApi.intColumn;
import static org.apache.parquet.filter2.predicate.FilterApi.longColumn;
import static org.apache.parquet.filter2.predicate.FilterApi.ltEq;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.ParquetRuntimeException;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.filter2.predicate.FilterPredicate;
import org.apache.parquet.filter2.statisticslevel.StatisticsFilter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.internal.filter2.columnindex.ColumnIndexFilter;
import org.apache.parquet.internal.filter2.columnindex.RowRanges;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.longspan.datapipeline.InvalidInputException;

/**
 * One open Parquet file. Its footer and the column indexes that were used stay in memory, so that a
 * slice costs the pages that hold it. For one thread.
 */
final class PieceFile implements AutoCloseable {
  private static final List<String> COLUMNS =
      List.of(
          PieceSchema.SEQUENCE,
          PieceSchema.PIECE,
          PieceSchema.TOKENS,
          PieceSchema.DOCUMENT_STARTS,
          PieceSchema.CARRIED);
  private static final Set<ColumnPath> FILTERED =
      Set.of(ColumnPath.get(PieceSchema.SEQUENCE), ColumnPath.get(PieceSchema.PIECE));

  private final Path path;
  private final ParquetFileReader reader;
  private final MessageColumnIO columns;

  private PieceFile(Path path, ParquetFileReader reader, MessageType schema) {
    this.path = path;
    this.reader = reader;
    this.columns = new ColumnIOFactory().getColumnIO(schema);
  }

  static PieceFile open(Configuration hadoop, Path path) {
    ParquetFileReader reader;
    try {
      reader =
          ParquetFileReader.open(
              HadoopInputFile.fromPath(path, hadoop),
              HadoopReadOptions.builder(hadoop, path).usePageChecksumVerification(true).build());
    } catch (IOException | RuntimeException e) {
      throw damaged(path, e);
    }
    MessageType all = reader.getFooter().getFileMetaData().getSchema();
    for (String column : COLUMNS) {
      if (!all.containsField(column)) {
        closeQuietly(reader);
        throw new InvalidInputException(
            "Parquet file %s has no column '%s'; prepare the dataset again."
                .formatted(path, column));
      }
    }
    MessageType wanted =
        new MessageType(all.getName(), COLUMNS.stream().map(all::getType).toList());
    reader.setRequestedSchema(wanted);
    return new PieceFile(path, reader, wanted);
  }

  /** Hands each row of pieces {@code [first, last]} of {@code sequence} over, in their order. */
  void read(long sequence, int first, int last, Consumer<PieceRow> rows) {
    FilterPredicate wanted =
        and(
            eq(longColumn(PieceSchema.SEQUENCE), sequence),
            and(
                gtEq(intColumn(PieceSchema.PIECE), first),
                ltEq(intColumn(PieceSchema.PIECE), last)));
    List<BlockMetaData> groups = reader.getRowGroups();
    try {
      for (int group = 0; group < groups.size(); group++) {
        if (!StatisticsFilter.canDrop(wanted, groups.get(group).getColumns())) {
          readGroup(group, wanted, row -> deliver(row, sequence, first, last, rows));
        }
      }
    } catch (IOException | ParquetRuntimeException e) {
      throw damaged(path, e);
    }
  }

  private void readGroup(int group, FilterPredicate wanted, Consumer<PieceRow> rows)
      throws IOException {
    RowRanges ranges =
        ColumnIndexFilter.calculateRowRanges(
            FilterCompat.get(wanted),
            reader.getColumnIndexStore(group),
            FILTERED,
            reader.getRowGroups().get(group).getRowCount());
    if (ranges.rowCount() == 0) {
      return;
    }
    try (PageReadStore pages = reader.readFilteredRowGroup(group, ranges)) {
      RecordReader<PieceRow> records =
          columns.getRecordReader(pages, new PieceMaterializer(columns.getType()));
      for (long row = 0; row < pages.getRowCount(); row++) {
        rows.accept(records.read());
      }
    }
  }

  /** A page holds several rows; those that only share a page with the wanted ones stop here. */
  private static void deliver(
      PieceRow row, long sequence, int first, int last, Consumer<PieceRow> rows) {
    if (row.sequence() == sequence && row.piece() >= first && row.piece() <= last) {
      rows.accept(row);
    }
  }

  @Override
  public void close() {
    closeQuietly(reader);
  }

  private static void closeQuietly(ParquetFileReader reader) {
    try {
      reader.close();
    } catch (IOException e) {
      // Nothing was written, so nothing can be lost.
    }
  }

  private static InvalidInputException damaged(Path path, Exception cause) {
    return new InvalidInputException(
        "Parquet file %s is truncated or damaged (%s); prepare the dataset again."
            .formatted(path, cause.getMessage()),
        cause);
  }
}
