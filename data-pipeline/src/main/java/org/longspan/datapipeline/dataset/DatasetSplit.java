package org.longspan.datapipeline.dataset;

import org.apache.hadoop.conf.Configuration;

/** One split of an open dataset. Immutable; safe for several threads. */
public final class DatasetSplit {
  private final Configuration hadoop;
  private final Location folder;
  private final SplitSummary summary;
  private final SequenceLayout layout;

  DatasetSplit(Configuration hadoop, Location folder, SplitSummary summary, SequenceLayout layout) {
    this.hadoop = hadoop;
    this.folder = folder;
    this.summary = summary;
    this.layout = layout;
  }

  /** The counts and files of the split. */
  public SplitSummary summary() {
    return summary;
  }

  /** The number of sequences. */
  public long sequences() {
    return summary.sequences();
  }

  /** A new reader, for one thread, which closes it. */
  public SequenceReader reader() {
    return new SequenceReader(hadoop, folder, summary, layout);
  }
}
