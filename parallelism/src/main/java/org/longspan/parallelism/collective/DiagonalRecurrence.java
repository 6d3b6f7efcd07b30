package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** One factor for each row; a block is some of the rows, which lie one behind the other. */
final class DiagonalRecurrence implements Recurrence {
  private final StateShape shape;
  private final Arithmetic arithmetic;
  private final ByteBuffer zero;

  DiagonalRecurrence(StateShape shape) {
    this.shape = shape;
    this.arithmetic = shape.type().arithmetic();
    this.zero = ByteBuffer.allocate(shape.type().bytes()).order(ByteOrder.nativeOrder());
  }

  @Override
  public int transitionElements() {
    return shape.rows();
  }

  @Override
  public List<Region> cut(int blocks) {
    int count = Math.max(1, Math.min(blocks, shape.rows()));
    List<Region> regions = new ArrayList<>(count);
    for (int block = 0; block < count; block++) {
      int first = edge(block, count);
      regions.add(new Region(first, edge(block + 1, count) - first, 0, shape.valueWidth()));
    }
    return List.copyOf(regions);
  }

  private int edge(int block, int count) {
    return (int) ((long) shape.rows() * block / count);
  }

  @Override
  public void apply(
      ScanDirection direction,
      ByteBuffer transition,
      Region region,
      Rows before,
      Rows summary,
      Rows after) {
    arithmetic.scale(
        transition, region.firstRow(), before, summary, after, region.rows(), region.columns());
  }

  @Override
  public void compose(
      ScanDirection direction, ByteBuffer later, ByteBuffer earlier, ByteBuffer into) {
    arithmetic.scale(
        later,
        0,
        Rows.packed(earlier, 1),
        new Rows(zero, 0, 0),
        Rows.packed(into, 1),
        shape.rows(),
        1);
  }

  @Override
  public void setIdentity(ByteBuffer transition) {
    for (int row = 0; row < shape.rows(); row++) {
      arithmetic.set(transition, row, 1);
    }
  }
}
