package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What transitions of one kind do to states of one shape.
 *
 * <p>Threading: one thread at a time, because of the scratch.
 */
interface Recurrence {
  /** Elements of a piece's transition. */
  int transitionElements();

  /**
   * Cuts a state into about so many blocks that do not depend on each other, at least one; into
   * fewer where there are not so many.
   */
  List<Region> cut(int blocks);

  /**
   * {@code after = Γ·before + summary} for one region, backward with the transpose of {@code Γ};
   * the rows given are the region's own. {@code after} may be {@code before} or {@code summary}.
   */
  void apply(
      ScanDirection direction,
      ByteBuffer transition,
      Region region,
      Rows before,
      Rows summary,
      Rows after);

  /**
   * The transition of two stretches in sequence: {@code later}, which the scan comes to second,
   * after {@code earlier}. {@code into} may be one of them.
   */
  void compose(ScanDirection direction, ByteBuffer later, ByteBuffer earlier, ByteBuffer into);

  /** Makes {@code transition} the one that leaves a state as it is. */
  void setIdentity(ByteBuffer transition);
}
