package org.longspan.executors.kernel;

import org.longspan.executors.opencl.DeviceKernel;

/**
 * Linear attention over one slice as OpenCL runs it, translated by Aparapi from this class's
 * bytecode: {@code S_t = λ S_{t−1} + k_t v_tᵀ}, {@code o_t = S_tᵀ q_t}. Three passes of one launch:
 *
 * <ol>
 *   <li value="0">what each chunk adds to the state, a work-item for a key column and {@value
 *       #BLOCK} value columns of a chunk;
 *   <li value="1">the state before each chunk, a work-item for an element of the state;
 *   <li value="2">the outputs, a work-item for {@value #BLOCK} value columns of a token.
 * </ol>
 *
 * <p>Layouts: {@code queries, keys} {@code [tokens, heads, keyWidth]}, {@code values, outputs}
 * {@code [tokens, heads, valueWidth]}, {@code states} {@code [chunks, heads, keyWidth,
 * valueWidth]}, {@code initial, last} {@code [heads, keyWidth, valueWidth]}, {@code powers} {@code
 * [heads, powerCount]} with {@code λ^n} at n. The arrays are staging memory, allocated once; what
 * they hold on the device lives no longer than a launch.
 */
final class AttendKernel extends DeviceKernel {
  /** Value columns that a work-item sums at once. */
  static final int BLOCK = 64;

  final float[] queries;
  final float[] keys;
  final float[] values;
  final float[] outputs;
  final float[] states;
  final float[] initial;
  final float[] last;
  final float[] powers;
  final int[] starts;
  final int[] fresh;
  final int[] chunkOf;
  int heads;
  int keyWidth;
  int valueWidth;
  int tokens;
  int chunks;
  int powerCount;

  /** The initial state reaches the first token as {@code λ^lag}. */
  int lag;

  /** 1 where tokens see each other, 0 where they see the initial state alone. */
  int pairs;

  /**
   * @param rowNumbers most numbers of queries, keys, values or outputs
   * @param stateNumbers numbers in one state, all heads
   */
  AttendKernel(int tokens, int rowNumbers, int chunks, int stateNumbers, int powers) {
    this.queries = new float[rowNumbers];
    this.keys = new float[rowNumbers];
    this.values = new float[rowNumbers];
    this.outputs = new float[rowNumbers];
    this.states = new float[Math.multiplyExact(chunks, stateNumbers)];
    this.initial = new float[stateNumbers];
    this.last = new float[stateNumbers];
    this.powers = new float[powers];
    this.starts = new int[chunks + 1];
    this.fresh = new int[chunks];
    this.chunkOf = new int[tokens];
  }

  @Override
  public void run() {
    int item = getGlobalId();
    int pass = getPassId();
    if (pass == 0) {
      summarizeChunk(item);
    } else if (pass == 1) {
      scan(item);
    } else {
      attend(item);
    }
  }

  private void summarizeChunk(int item) {
    int blocks = (valueWidth + BLOCK - 1) / BLOCK;
    int perChunk = heads * keyWidth * blocks;
    int at = item / perChunk;
    if (pairs == 1 && at < chunks) {
      int rest = item - at * perChunk;
      int row = rest / blocks;
      int head = row / keyWidth;
      int first = (rest - row * blocks) * BLOCK;
      int width = min(BLOCK, valueWidth - first);
      int end = starts[at + 1];
      float[] sums = new float[BLOCK];
      for (int j = 0; j < width; j++) {
        sums[j] = 0f;
      }
      for (int token = starts[at]; token < end; token++) {
        float key =
            keys[token * heads * keyWidth + row] * powers[head * powerCount + end - 1 - token];
        int value = (token * heads + head) * valueWidth + first;
        for (int j = 0; j < width; j++) {
          sums[j] = sums[j] + key * values[value + j];
        }
      }
      int state = (at * heads * keyWidth + row) * valueWidth + first;
      for (int j = 0; j < width; j++) {
        states[state + j] = sums[j];
      }
    }
  }

  private void scan(int item) {
    int size = heads * keyWidth * valueWidth;
    if (item < size) {
      int head = item / (keyWidth * valueWidth);
      float state = initial[item];
      for (int at = 0; at < chunks; at++) {
        int index = at * size + item;
        if (fresh[at] == 1) {
          state = 0f;
        }
        float added = 0f;
        if (pairs == 1) {
          added = states[index];
        }
        states[index] = state;
        state = state * powers[head * powerCount + starts[at + 1] - starts[at]] + added;
      }
      last[item] = state;
    }
  }

  private void attend(int item) {
    int blocks = (valueWidth + BLOCK - 1) / BLOCK;
    int row = item / blocks;
    int token = row / heads;
    if (token < tokens) {
      int head = row - token * heads;
      int first = (item - row * blocks) * BLOCK;
      int width = min(BLOCK, valueWidth - first);
      int at = chunkOf[token];
      int start = starts[at];
      int query = row * keyWidth;
      int power = head * powerCount;
      float[] sums = new float[BLOCK];
      for (int j = 0; j < width; j++) {
        sums[j] = 0f;
      }
      float rise = powers[power + token - start + lag];
      int state = (at * heads + head) * keyWidth * valueWidth + first;
      for (int i = 0; i < keyWidth; i++) {
        float weight = queries[query + i] * rise;
        for (int j = 0; j < width; j++) {
          sums[j] = sums[j] + weight * states[state + j];
        }
        state = state + valueWidth;
      }
      if (pairs == 1) {
        for (int other = start; other <= token; other++) {
          int key = (other * heads + head) * keyWidth;
          float score = 0f;
          for (int i = 0; i < keyWidth; i++) {
            score = score + queries[query + i] * keys[key + i];
          }
          score = score * powers[power + token - other];
          int value = (other * heads + head) * valueWidth + first;
          for (int j = 0; j < width; j++) {
            sums[j] = sums[j] + score * values[value + j];
          }
        }
      }
      int output = row * valueWidth + first;
      for (int j = 0; j < width; j++) {
        outputs[output + j] = sums[j];
      }
    }
  }
}
