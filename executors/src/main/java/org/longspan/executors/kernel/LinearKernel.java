package org.longspan.executors.kernel;

import org.longspan.executors.opencl.VectorKernel;

/**
 * What every kernel of linear attention has: staging arrays for some heads of a slice, and a list
 * of stages, one a pass.
 *
 * <p>Layouts, rows padded with zeros to a multiple of {@link #PAD} columns: {@code keySide} the
 * queries and then the keys, each {@code [tokens, heads, keyWidth]}; {@code valueSide} the values
 * and then the outputs' gradients, each {@code [tokens, heads, valueWidth]}; {@code keyOutputs} the
 * gradients of queries and keys, {@code valueOutputs} outputs or the gradients of values, alike.
 * {@code states} {@code [chunks + 1, heads, keyWidth, valueWidth]} holds the state before each
 * chunk and the last one, {@code stateGradients} that of the state after each chunk; {@code before}
 * {@code [heads, keyWidth, valueWidth]} is the state before the slice, {@code after} the gradient
 * of the one after it; {@code passed} is what a scan ends with. {@code factors} {@code [chunks,
 * heads]} or {@code [chunks, heads, keyWidth]} are the decays over chunks: an input where they are
 * constant, else what {@link #SUM_LOGS} finds.
 */
abstract class LinearKernel extends VectorKernel {
  /** Tokens of a chunk at most, the rows of a tile. */
  static final int CHUNK = 64;

  /** Rows of tokens are padded to a multiple of this. */
  static final int PAD = 16;

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

  final int[] stages = new int[16];
  final int[] starts;
  final int[] fresh;
  final float[] slopes;
  final float[] keySide;
  final float[] valueSide;
  final float[] gates;
  final float[] keyOutputs;
  final float[] valueOutputs;
  final float[] gateOutputs;
  final float[] before;
  final float[] after;
  final float[] passed;
  final float[] states;
  final float[] stateGradients;
  final float[] logs;
  final float[] logRests;
  final float[] factors;
  final float[] gateRows;
  int heads;
  int tokens;
  int chunks;
  int keyWidth;
  int valueWidth;

  /** Gates of a token and head; 0 where the decay is constant. */
  int gateWidth;

  /** Where in {@code keySide} the keys start. */
  int keysFrom;

  /** Where in {@code valueSide} the outputs' gradients start. */
  int gradientsFrom;

  LinearKernel(LinearRoom room) {
    this.starts = new int[room.chunks() + 1];
    this.fresh = new int[room.chunks() + 1];
    this.slopes = new float[room.heads()];
    this.keySide = new float[2 * room.keyNumbers()];
    this.valueSide = new float[room.valueNumbers() * (room.hasGradients() ? 2 : 1)];
    this.gates = new float[Math.max(1, room.gateNumbers())];
    this.keyOutputs = new float[room.hasGradients() ? 2 * room.keyNumbers() : 1];
    this.valueOutputs = new float[room.valueNumbers()];
    this.gateOutputs = new float[room.hasGradients() ? gates.length : 1];
    this.before = new float[room.stateNumbers()];
    this.after = new float[room.hasGradients() ? room.stateNumbers() : 1];
    this.passed = new float[room.stateNumbers()];
    this.states = new float[(room.chunks() + 1) * room.stateNumbers()];
    this.stateGradients = new float[room.hasGradients() ? room.chunks() * room.stateNumbers() : 1];
    this.logs = new float[room.logNumbers()];
    this.logRests = new float[room.logNumbers()];
    this.factors = new float[room.factorNumbers()];
    this.gateRows = new float[room.hasGradients() ? 2 * room.logNumbers() : 1];
  }

  /** Work-groups that the widest stage needs. */
  abstract int groups();

  /**
   * Four numbers of {@code keySide} (side 0) or {@code valueSide} (1), as {@link VectorKernel}
   * reads them.
   */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_TOKENS(side, index, registers, to)"
              + " READ_GLOBAL(((side) == 0 ? this->keySide : this->valueSide), index, registers, to)"
              + "\nREAD_TOKENS")
  final void readTokens(int side, int index, float[] registers, int to) {
    if (side == 0) {
      readGlobal(keySide, index, registers, to);
    } else {
      readGlobal(valueSide, index, registers, to);
    }
  }

  /** Four numbers of {@code states} (reverse 0) or {@code stateGradients} (1), likewise. */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_STATES(reverse, index, registers, to)"
              + " READ_GLOBAL(((reverse) == 0 ? this->states : this->stateGradients), index,"
              + " registers, to)\nREAD_STATES")
  final void readStates(int reverse, int index, float[] registers, int to) {
    if (reverse == 0) {
      readGlobal(states, index, registers, to);
    } else {
      readGlobal(stateGradients, index, registers, to);
    }
  }
}
