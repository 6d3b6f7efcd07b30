package org.longspan.executors.kernel;

/**
 * A kernel of linear attention with decays in tiles, as a GPU runs it: what its stages have in
 * common.
 *
 * <p>Layouts beside those of {@link LinearKernel}: {@code states} {@code [chunks + 1, heads,
 * keyWidth, valueWidth]} holds the state before each chunk and the last one, {@code stateGradients}
 * that of the state after each chunk. {@code logs} and {@code logRests} as gates, {@code gateRows}
 * twice that.
 */
abstract class LinearTileKernel extends LinearKernel {
  /** Tokens of a chunk at most, the rows of a tile. */
  static final int CHUNK = 64;

  /** Work-items of a group. */
  static final int GROUP = 128;

  /** Sums the logs of the gates within each chunk. */
  static final int SUM_LOGS = 0;

  /** What each chunk adds to the state. */
  static final int SUMMARIZE = 1;

  /** The state before each chunk. */
  static final int SCAN = 2;

  /** Outputs. */
  static final int OUTPUTS = 3;

  /** What each chunk adds to the gradient of the state before it. */
  static final int SUMMARIZE_GRADIENT = 4;

  /** The gradient of the state after each chunk. */
  static final int SCAN_GRADIENT = 5;

  /** Gradients of queries. */
  static final int QUERY_GRADIENTS = 6;

  /** Gradients of keys. */
  static final int KEY_GRADIENTS = 7;

  /** Gradients of values. */
  static final int VALUE_GRADIENTS = 8;

  /** Gradients of gates. */
  static final int GATE_GRADIENTS = 9;

  /** Added to a stage that leaves the slice's own tokens out: what comes from outside alone. */
  static final int OUTSIDE = 16;

  private static final int AT_ONCE = 16;

  final float[] states;
  final float[] stateGradients;
  final float[] logs;
  final float[] logRests;
  final float[] gateRows;

  LinearTileKernel(LinearRoom room) {
    super(room);
    this.states = new float[(room.chunks() + 1) * room.stateNumbers()];
    this.stateGradients = new float[room.hasGradients() ? room.chunks() * room.stateNumbers() : 1];
    this.logs = new float[room.logNumbers()];
    this.logRests = new float[room.logNumbers()];
    this.gateRows = new float[room.hasGradients() ? 2 * room.logNumbers() : 1];
  }

  @Override
  final int groupSize() {
    return GROUP;
  }

  /**
   * The logs of one column of gates over one chunk, summed as pairs of numbers, and the chunk's
   * decay.
   */
  final void sumLogs(int item) {
    int columns = heads * max(1, gateWidth);
    int at = item / columns;
    if (at < chunks) {
      int column = item - at * columns;
      int end = starts[at + 1];
      float sum = 0f;
      float rest = 0f;
      float[] terms = new float[AT_ONCE];
      for (int first = starts[at]; first < end; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          terms[i] = 0f;
          if (first + i < end) {
            terms[i] = gates[(first + i) * columns + column];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (first + i < end) {
            int index = (first + i) * columns + column;
            float next = sum + terms[i];
            float part = next - sum;
            rest = rest + ((sum - (next - part)) + (terms[i] - part));
            sum = next;
            logs[index] = sum;
            logRests[index] = rest;
          }
        }
      }
      factors[item] = exp(sum + rest);
    }
  }

  /**
   * The states before all chunks, one number of them a work-item. What the next chunks need is read
   * before anything is written, since a read waits for the writes before it.
   */
  final void scan(int own, int item) {
    int size = heads * keyWidth * valueWidth;
    if (item < size) {
      int columns = heads * max(1, gateWidth);
      int column = item / (size / columns);
      float state = before[item];
      float[] added = new float[AT_ONCE];
      float[] decays = new float[AT_ONCE];
      float[] kept = new float[AT_ONCE];
      for (int first = 0; first < chunks; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          int at = min(first + i, chunks - 1);
          decays[i] = factors[at * columns + column];
          kept[i] = 1f - fresh[at];
          added[i] = 0f;
          if (own == 1) {
            added[i] = states[at * size + item];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (first + i < chunks) {
            state = kept[i] * state;
            states[(first + i) * size + item] = state;
            state = fma(state, decays[i], added[i]);
          }
        }
      }
      states[chunks * size + item] = state;
      passed[item] = state;
    }
  }

  /** The gradients of the states after all chunks, likewise. */
  final void scanGradient(int own, int item) {
    int size = heads * keyWidth * valueWidth;
    if (item < size) {
      int columns = heads * max(1, gateWidth);
      int column = item / (size / columns);
      float state = after[item];
      float[] added = new float[AT_ONCE];
      float[] decays = new float[AT_ONCE];
      float[] kept = new float[AT_ONCE];
      for (int last = chunks - 1; last >= 0; last -= AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          int at = max(last - i, 0);
          decays[i] = factors[at * columns + column];
          kept[i] = 1f - fresh[at];
          added[i] = 0f;
          if (own == 1) {
            added[i] = stateGradients[at * size + item];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (last - i >= 0) {
            stateGradients[(last - i) * size + item] = state;
            state = kept[i] * fma(state, decays[i], added[i]);
          }
        }
      }
      passed[item] = state;
    }
  }

  /** Four numbers of {@code states} (reverse 0) or {@code stateGradients} (1), likewise. */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_STATES(reverse, index, registers, to) { float4 four_ = *(const"
              + " __global float4 *) (((reverse) == 0 ? this->states : this->stateGradients)"
              + " + (index));"
              + TO_REGISTERS
              + " }\nREAD_STATES")
  final void readStates(int reverse, int index, float[] registers, int to) {
    for (int i = 0; i < 4; i++) {
      if (reverse == 0) {
        registers[to + i] = states[index + i];
      } else {
        registers[to + i] = stateGradients[index + i];
      }
    }
  }
}
