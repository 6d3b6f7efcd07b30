package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

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
  private KernelLauncher<AttendKernel> launcher;
  private AttendKernel kernel;
  private AttendRows rows;
  private boolean isTimed;
  private LaunchTime time = LaunchTime.NONE;

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
    launch(3, List.of(kernel.queries, kernel.keys, kernel.values), kernel.outputs);
    rows.write(kernel.outputs, outputs);
  }

  /** Adds what the initial state gives, which reaches the first row as {@code λ^lag}. */
  void addSpread(int lag, FloatMatrix outputs) {
    kernel.pairs = 0;
    kernel.lag = lag;
    launch(3, List.of(kernel.queries), kernel.outputs);
    rows.add(kernel.outputs, outputs, row);
  }

  /** The state after the rows, each head's times its factor. */
  void summarize(float[] factors, FloatMatrix summary) {
    kernel.pairs = 1;
    kernel.lag = 1;
    launch(2, List.of(kernel.keys, kernel.values), kernel.last);
    int columns = summary.columns();
    for (int r = 0; r < summary.rows(); r++) {
      for (int column = 0; column < columns; column++) {
        row[column] = factors[r / kernel.keyWidth] * kernel.last[r * columns + column];
      }
      summary.write(r, 0, row, 0, columns);
    }
  }

  private void launch(int passes, List<float[]> tokenInputs, float[] output) {
    List<Object> inputs = new ArrayList<>(tokenInputs);
    inputs.addAll(
        List.of(kernel.initial, kernel.powers, kernel.starts, kernel.fresh, kernel.chunkOf));
    int blocks = (kernel.valueWidth + AttendKernel.BLOCK - 1) / AttendKernel.BLOCK;
    long chunkItems = (long) kernel.chunks * kernel.heads * kernel.keyWidth * blocks;
    long stateItems = (long) kernel.heads * kernel.keyWidth * kernel.valueWidth;
    long rowItems = (long) kernel.tokens * kernel.heads * blocks;
    long items = Math.max(Math.max(chunkItems, stateItems), rowItems);
    int group = Math.min(GROUP, KernelLauncher.mostGroupItems(device));
    launcher.launch(LaunchShape.covering(items, group, passes), inputs, List.of(output));
    time = time.plus(launcher.takeTime());
  }

  void timeLaunches() {
    isTimed = true;
    if (launcher != null) {
      launcher.timeLaunches();
    }
  }

  LaunchTime takeTime() {
    LaunchTime taken = time;
    time = LaunchTime.NONE;
    return taken;
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
    kernel =
        new AttendKernel(
            tokens,
            Math.toIntExact(rowNumbers),
            chunks,
            Math.toIntExact(state),
            shape.heads() * powerCount);
    launcher = KernelLauncher.of(device, kernel);
    if (isTimed) {
      launcher.timeLaunches();
    }
  }

  @Override
  public void close() {
    if (launcher != null) {
      launcher.close();
    }
    launcher = null;
    kernel = null;
  }
}
