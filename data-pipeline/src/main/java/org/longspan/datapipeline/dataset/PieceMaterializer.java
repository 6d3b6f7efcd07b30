package org.longspan.datapipeline.dataset;

import java.util.function.IntConsumer;
import java.util.function.LongConsumer;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.MessageType;

/** Assembles Parquet's values into one {@link PieceRow} without boxing them. */
final class PieceMaterializer extends RecordMaterializer<PieceRow> {
  private final PieceRow row = new PieceRow();
  private final GroupConverter root;

  PieceMaterializer(MessageType schema) {
    Converter[] fields =
        schema.getFields().stream().map(field -> field(field.getName())).toArray(Converter[]::new);
    root = new Row(fields, row);
  }

  @Override
  public PieceRow getCurrentRecord() {
    return row;
  }

  @Override
  public GroupConverter getRootConverter() {
    return root;
  }

  private Converter field(String name) {
    return switch (name) {
      case PieceSchema.SEQUENCE -> new LongValue(row::sequence);
      case PieceSchema.PIECE -> new IntValue(row::piece);
      case PieceSchema.CARRIED -> new IntValue(row::carried);
      case PieceSchema.TOKENS -> list(row.tokens());
      case PieceSchema.DOCUMENT_STARTS -> list(row.documentStarts());
      default -> throw new IllegalArgumentException("Column '" + name + "' was not asked for");
    };
  }

  /** Parquet's list is a group in a group: {@code list (repeated) → element}. */
  private static Converter list(IntArray values) {
    return new Nested(new Nested(new IntValue(values::add)));
  }

  private static final class Row extends GroupConverter {
    private final Converter[] fields;
    private final PieceRow row;

    Row(Converter[] fields, PieceRow row) {
      this.fields = fields;
      this.row = row;
    }

    @Override
    public Converter getConverter(int fieldIndex) {
      return fields[fieldIndex];
    }

    @Override
    public void start() {
      row.clear();
    }

    @Override
    public void end() {}
  }

  private static final class Nested extends GroupConverter {
    private final Converter inner;

    Nested(Converter inner) {
      this.inner = inner;
    }

    @Override
    public Converter getConverter(int fieldIndex) {
      return inner;
    }

    @Override
    public void start() {}

    @Override
    public void end() {}
  }

  private static final class IntValue extends PrimitiveConverter {
    private final IntConsumer target;

    IntValue(IntConsumer target) {
      this.target = target;
    }

    @Override
    public void addInt(int value) {
      target.accept(value);
    }
  }

  private static final class LongValue extends PrimitiveConverter {
    private final LongConsumer target;

    LongValue(LongConsumer target) {
      this.target = target;
    }

    @Override
    public void addLong(long value) {
      target.accept(value);
    }
  }
}
