package org.longspan.parallelism.collective;

import org.longspan.parallelism.transport.MessageLabel;

/** What the messages of a scan are called, in each direction. */
record ScanLabels(MessageLabel.Kind forward, MessageLabel.Kind backward) {
  static final ScanLabels CHAIN =
      new ScanLabels(MessageLabel.Kind.SCAN_CHAIN_FORWARD, MessageLabel.Kind.SCAN_CHAIN_BACKWARD);
  static final ScanLabels REPLAY =
      new ScanLabels(MessageLabel.Kind.SCAN_REPLAY_FORWARD, MessageLabel.Kind.SCAN_REPLAY_BACKWARD);
  static final ScanLabels LOG =
      new ScanLabels(MessageLabel.Kind.SCAN_LOG_FORWARD, MessageLabel.Kind.SCAN_LOG_BACKWARD);
  static final ScanLabels LASP1 =
      new ScanLabels(MessageLabel.Kind.LASP1_FORWARD, MessageLabel.Kind.LASP1_BACKWARD);
  static final ScanLabels LASP2 =
      new ScanLabels(MessageLabel.Kind.LASP2_FORWARD, MessageLabel.Kind.LASP2_BACKWARD);

  MessageLabel.Kind of(ScanDirection direction) {
    return switch (direction) {
      case FORWARD -> forward;
      case BACKWARD -> backward;
    };
  }
}
