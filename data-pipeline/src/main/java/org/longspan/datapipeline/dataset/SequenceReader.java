package org.longspan.datapipeline.dataset;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;

/**
 * Reads slices of the sequences of one split. A slice costs the Parquet pages that hold it; files,
 * footers and column indexes stay open between calls. For one thread; several readers may read the
 * same split at once.
 */
public final class SequenceReader implements AutoCloseable {
  private static final int OPEN_FILES = 8;

  private final Configuration hadoop;
  private final Location folder;
  private final SplitSummary summary;
  private final SequenceLayout layout;
  private final Map<String, PieceFile> open = new LinkedHashMap<>(16, 0.75f, true);

  SequenceReader(
      Configuration hadoop, Location folder, SplitSummary summary, SequenceLayout layout) {
    this.hadoop = hadoop;
    this.folder = folder;
    this.summary = summary;
    this.layout = layout;
  }

  /** The number of tokens of {@code sequence}; only the last one may be short. */
  public int length(long sequence) {
    if (sequence < 0 || sequence >= summary.sequences()) {
      throw new IndexOutOfBoundsException(
          "Sequence " + sequence + " of a split with " + summary.sequences() + " sequences");
    }
    return layout.length(sequence, summary.tokens());
  }

  /** Reads tokens {@code [from, to)} of {@code sequence}. */
  public TokenSlice read(long sequence, int from, int to) {
    int length = length(sequence);
    if (from < 0 || from > to || to > length) {
      throw new IndexOutOfBoundsException(
          "Tokens [%d, %d) of sequence %d with %d tokens".formatted(from, to, sequence, length));
    }
    if (from == to) {
      return new TokenSlice(new int[0], new int[0], 0);
    }
    SliceAssembly slice = new SliceAssembly(layout, length, from, to);
    DatasetFile file = file(sequence);
    opened(file)
        .read(sequence, layout.piece(from), layout.piece(to - 1), row -> add(slice, row, file));
    if (!slice.complete()) {
      throw new InvalidInputException(
          "Parquet file %s lacks rows of tokens [%d, %d) of sequence %d; prepare the dataset again."
              .formatted(folder.child(file.name()).path(), from, to, sequence));
    }
    return slice.finish();
  }

  @Override
  public void close() {
    open.values().forEach(PieceFile::close);
    open.clear();
  }

  private void add(SliceAssembly slice, PieceRow row, DatasetFile file) {
    if (!slice.add(row)) {
      throw new InvalidInputException(
          "Parquet file %s holds piece %d of sequence %d out of order or with %d tokens; prepare the dataset again."
              .formatted(
                  folder.child(file.name()).path(),
                  row.piece(),
                  row.sequence(),
                  row.tokens().size()));
    }
  }

  private PieceFile opened(DatasetFile file) {
    PieceFile known = open.get(file.name());
    if (known != null) {
      return known;
    }
    PieceFile fresh = PieceFile.open(hadoop, folder.child(file.name()).path());
    open.put(file.name(), fresh);
    if (open.size() > OPEN_FILES) {
      Iterator<PieceFile> eldest = open.values().iterator();
      eldest.next().close();
      eldest.remove();
    }
    return fresh;
  }

  private DatasetFile file(long sequence) {
    List<DatasetFile> files = summary.files();
    int low = 0;
    int high = files.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      DatasetFile file = files.get(middle);
      if (sequence < file.firstSequence()) {
        high = middle - 1;
      } else if (sequence > file.lastSequence()) {
        low = middle + 1;
      } else {
        return file;
      }
    }
    throw new InvalidInputException(
        "The manifest names no file with sequence %d in %s; prepare the dataset again."
            .formatted(sequence, folder.path()));
  }
}
