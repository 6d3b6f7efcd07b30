package org.longspan.parallelism.collective;

import java.util.List;
import java.util.Locale;

/**
 * A scan that was chosen for what it costs, and says so.
 *
 * @param foldSeconds of taking a whole state through a transition
 */
record ChosenScan(StateScan scan, LinkQuality link, double foldSeconds) implements StateScan {
  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    return scan.start(direction, pieces);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s, chosen for %.0f µs, %.2f GB/s and %.2g ms a fold",
        scan.description(),
        link.latencySeconds() * 1e6,
        link.bytesPerSecond() / 1e9,
        foldSeconds * 1e3);
  }
}
