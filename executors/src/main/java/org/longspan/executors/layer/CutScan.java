package org.longspan.executors.layer;

import java.util.List;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.StateScan;

/** The scan of a cut exchange: it sends nothing, and leaves what was to arrive as it is. */
final class CutScan implements StateScan {
  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    return Pending.DONE;
  }

  @Override
  public String description() {
    return "cut from the other ranks";
  }
}
