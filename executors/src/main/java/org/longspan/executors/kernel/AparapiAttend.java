package org.longspan.executors.kernel;

import com.aparapi.ProfileReport;
import com.aparapi.Range;
import com.aparapi.device.OpenCLDevice;
import com.aparapi.exception.CompileFailedException;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.FloatMatrix;

/**
 * Launches {@link AttendKernel} on one OpenCL device: inputs go into staging arrays of fixed size
 * and from there to the device, outputs come back, within one launch; and each launch is proved to
 * have run on the device. The arrays are made anew only when a longer slice comes. A call is {@link
 * #begin}, the inputs, then one of the launches.
 *
 * <p>Threading: one thread at a time; its users hold its lock.
 */
final class AparapiAttend implements AutoCloseable {
  private static final int GROUP = 64;
  private static final long MOST_BYTES = (1L << 31) - 1;

  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final ChunkGrid grid;
  private final int powerCount;
  private final float[] row;
  private AttendKernel kernel;
  private boolean ran;
  private AttendRows rows;

  AparapiAttend(OpenCLDevice device, AttentionShape shape, int chunk) {
    this.device = device;
    this.shape = shape;
    this.grid = new ChunkGrid(chunk);
    this.powerCount = chunk + 1;
    this.row = new float[Math.max(shape.keyColumns(), shape.valueColumns())];
  }

  /**
   * A new call over these rows, the state before them zero.
   *
   * @param documents those of the rows, in their order
   * @param keyWidth columns of a head's queries and keys, which may be the shape's values
   */
  void begin(
      AttendRows callRows, Documents documents, FloatDecay[] decays, int keyWidth, int valueWidth) {
    rows = callRows;
    grid.plan(documents);
    int tokens = documents.tokens();
    reserve(tokens, grid.count());
    for (int head = 0; head < shape.heads(); head++) {
      for (int n = 0; n < powerCount; n++) {
        kernel.powers[head * powerCount + n] = decays[head].power(n);
      }
    }
    for (int i = 0; i < grid.count(); i++) {
      kernel.starts[i] = grid.start(i);
      kernel.fresh[i] = grid.isFresh(i) ? 1 : 0;
      Arrays.fill(kernel.chunkOf, grid.start(i), grid.end(i), i);
    }
    kernel.starts[grid.count()] = tokens;
    kernel.heads = shape.heads();
    kernel.keyWidth = keyWidth;
    kernel.valueWidth = valueWidth;
    kernel.tokens = tokens;
    kernel.chunks = grid.count();
    kernel.powerCount = powerCount;
    Arrays.fill(kernel.initial, 0f);
  }

  void queries(FloatMatrix from) {
    rows.read(from, kernel.queries);
  }

  void keys(FloatMatrix from) {
    rows.read(from, kernel.keys);
  }

  void values(FloatMatrix from) {
    rows.read(from, kernel.values);
  }

  /** The state before the rows, {@code [heads · keyWidth, valueWidth]}. */
  void initial(FloatMatrix state) {
    int columns = state.columns();
    for (int r = 0; r < state.rows(); r++) {
      state.read(r, 0, kernel.initial, r * columns, columns);
    }
  }

  /** The state before the rows, given each head's transpose. */
  void initialAcross(FloatMatrix state) {
    int columns = state.columns();
    int perHead = kernel.valueWidth;
    for (int r = 0; r < state.rows(); r++) {
      state.read(r, 0, row, 0, columns);
      int head = r / perHead;
      for (int column = 0; column < columns; column++) {
        kernel.initial[(head * columns + column) * perHead + r % perHead] = row[column];
      }
    }
  }

  /** Outputs of all rows. */
  void attend(FloatMatrix outputs) {
    kernel.pairs = 1;
    kernel.lag = 1;
    kernel.put(kernel.queries).put(kernel.keys).put(kernel.values);
    launch(3);
    kernel.get(kernel.outputs);
    rows.write(kernel.outputs, outputs);
  }

  /** Adds what the initial state gives, which reaches the first row as {@code λ^lag}. */
  void addSpread(int lag, FloatMatrix outputs) {
    kernel.pairs = 0;
    kernel.lag = lag;
    kernel.put(kernel.queries);
    launch(3);
    kernel.get(kernel.outputs);
    rows.add(kernel.outputs, outputs, row);
  }

  /** The state after the rows, each head's times its factor. */
  void summarize(float[] factors, FloatMatrix summary) {
    kernel.pairs = 1;
    kernel.lag = 1;
    kernel.put(kernel.keys).put(kernel.values);
    launch(2);
    kernel.get(kernel.last);
    int columns = summary.columns();
    for (int r = 0; r < summary.rows(); r++) {
      for (int column = 0; column < columns; column++) {
        row[column] = factors[r / kernel.keyWidth] * kernel.last[r * columns + column];
      }
      summary.write(r, 0, row, 0, columns);
    }
  }

  private void launch(int passes) {
    kernel
        .put(kernel.initial)
        .put(kernel.powers)
        .put(kernel.starts)
        .put(kernel.fresh)
        .put(kernel.chunkOf);
    int blocks = (kernel.valueWidth + AttendKernel.BLOCK - 1) / AttendKernel.BLOCK;
    long chunkItems = (long) kernel.chunks * kernel.heads * kernel.keyWidth * blocks;
    long stateItems = (long) kernel.heads * kernel.keyWidth * kernel.valueWidth;
    long rowItems = (long) kernel.tokens * kernel.heads * blocks;
    long items = Math.max(Math.max(chunkItems, stateItems), rowItems);
    int group = Math.min(GROUP, device.getMaxWorkGroupSize());
    int global = Math.toIntExact((items + group - 1) / group * group);
    long before = lastReport();
    kernel.execute(Range.create(device, global, group), passes);
    ran = true;
    if (lastReport() <= before) {
      throw new IllegalStateException(
          "Aparapi did not run the kernel on " + OpenClDevices.name(device));
    }
  }

  /**
   * The number of the profile report of this thread's last launch on the device, or -1. A launch
   * that adds none ran somewhere else; threads number theirs apart.
   */
  private long lastReport() {
    WeakReference<ProfileReport> last = kernel.getProfileReportCurrentThread(device);
    ProfileReport report = last == null ? null : last.get();
    return report == null ? -1 : report.getReportId();
  }

  private void reserve(int tokens, int chunks) {
    if (kernel != null && kernel.chunkOf.length >= tokens && kernel.fresh.length >= chunks) {
      return;
    }
    int roomForTokens = kernel == null ? tokens : Math.max(tokens, kernel.chunkOf.length);
    int roomForChunks = kernel == null ? chunks : Math.max(chunks, kernel.fresh.length);
    close();
    make(roomForTokens, roomForChunks);
  }

  private void make(int tokens, int chunks) {
    long state = (long) shape.keyColumns() * shape.valueWidth();
    long rowNumbers = (long) tokens * row.length;
    long most = Math.max(state * chunks, rowNumbers) * Float.BYTES;
    if (most > Math.min(MOST_BYTES, device.getMaxMemAllocSize())) {
      throw new InvalidInputException(
          "A slice of "
              + tokens
              + " tokens in "
              + chunks
              + " chunks needs a buffer of "
              + most
              + " bytes, more than "
              + OpenClDevices.name(device)
              + " allows; use more sequence ranks, or kernel cpu.");
    }
    AttendKernel made =
        new AttendKernel(
            tokens,
            Math.toIntExact(rowNumbers),
            chunks,
            Math.toIntExact(state),
            shape.heads() * powerCount);
    try {
      made.compile(device);
    } catch (CompileFailedException e) {
      throw new IllegalStateException(
          "Aparapi cannot translate the kernel for " + OpenClDevices.name(device), e);
    }
    kernel = made;
    ran = false;
  }

  /**
   * Frees the device's buffers. A kernel that never ran must not be disposed: that ends the JVM.
   */
  @Override
  public void close() {
    if (kernel != null && ran) {
      kernel.dispose();
    }
    kernel = null;
  }
}
