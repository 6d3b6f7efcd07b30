package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * One square matrix for each head. It mixes the head's rows, so a block is whole heads or, where
 * there are more blocks than heads, some of one head's columns.
 */
final class MatrixRecurrence implements Recurrence {
  private final StateShape shape;
  private final Arithmetic arithmetic;
  private final ByteBuffer zeros;

  MatrixRecurrence(StateShape shape) {
    this.shape = shape;
    this.arithmetic = shape.type().arithmetic();
    this.zeros = ByteBuffer.allocate(shape.keyWidth() * shape.type().bytes());
  }

  @Override
  public int transitionElements() {
    return Math.multiplyExact(shape.rows(), shape.keyWidth());
  }

  @Override
  public List<Region> cut(int blocks) {
    if (shape.elements() == 0) {
      return List.of(Region.all(shape));
    }
    int headParts = Math.max(1, Math.min(blocks, shape.heads()));
    int columnParts = Math.min((blocks + headParts - 1) / headParts, shape.valueWidth());
    List<Region> regions = new ArrayList<>(headParts * columnParts);
    for (int part = 0; part < headParts; part++) {
      int head = edge(shape.heads(), part, headParts);
      int heads = edge(shape.heads(), part + 1, headParts) - head;
      for (int columns = 0; columns < columnParts; columns++) {
        int first = edge(shape.valueWidth(), columns, columnParts);
        regions.add(
            new Region(
                head * shape.keyWidth(),
                heads * shape.keyWidth(),
                first,
                edge(shape.valueWidth(), columns + 1, columnParts) - first));
      }
    }
    return List.copyOf(regions);
  }

  private static int edge(int length, int part, int parts) {
    return (int) ((long) length * part / parts);
  }

  @Override
  public void apply(
      ScanDirection direction,
      ByteBuffer transition,
      Region region,
      Rows before,
      Rows summary,
      Rows after) {
    int width = shape.keyWidth();
    for (int row = 0; row < region.rows(); row += width) {
      arithmetic.multiply(
          direction,
          transition,
          (region.firstRow() + row) * width,
          before.from(row),
          summary.from(row),
          after.from(row),
          width,
          region.columns());
    }
  }

  @Override
  public void compose(
      ScanDirection direction, ByteBuffer later, ByteBuffer earlier, ByteBuffer into) {
    int width = shape.keyWidth();
    // Backward the transposes act: (later · earlier as operators) is earlier's matrix times
    // later's.
    ByteBuffer left = direction == ScanDirection.FORWARD ? later : earlier;
    ByteBuffer right = direction == ScanDirection.FORWARD ? earlier : later;
    for (int row = 0; row < shape.rows(); row += width) {
      arithmetic.multiply(
          ScanDirection.FORWARD,
          left,
          row * width,
          Rows.packed(right, width).from(row),
          new Rows(zeros, 0, 0),
          Rows.packed(into, width).from(row),
          width,
          width);
    }
  }

  @Override
  public void setIdentity(ByteBuffer transition) {
    int width = shape.keyWidth();
    for (int row = 0; row < shape.rows(); row++) {
      for (int column = 0; column < width; column++) {
        arithmetic.set(transition, row * width + column, row % width == column ? 1 : 0);
      }
    }
  }
}
