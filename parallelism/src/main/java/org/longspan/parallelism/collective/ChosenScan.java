package org.longspan.parallelism.collective;

import java.util.List;
import java.util.Locale;

/** A scan that was chosen for a link, and says so. */
record ChosenScan(StateScan scan, LinkQuality link) implements StateScan {
  @Override
  public Pending start(ScanDirection direction, List<ScanPiece> pieces) {
    return scan.start(direction, pieces);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s, chosen for %.0f µs and %.2f GB/s",
        scan.description(),
        link.latencySeconds() * 1e6,
        link.bytesPerSecond() / 1e9);
  }
}
