package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;
import org.longspan.executors.vector.FloatTileSoftmax;

/**
 * One worker's scratch for sliding-window attention: a block of queries against tile after tile of
 * keys. Edges of blocks and tiles lie on multiples of {@value #BLOCK} from the slice's start, so
 * that a row's result does not depend on which rows are asked for at once.
 *
 * <p>Softmax keeps each row's running maximum m and sum l; with {@code P = exp(S − m − log l)} the
 * backward is {@code dS = P ⊙ (dO Vᵀ − rowsum(dO ⊙ O))}, {@code dQ = dS K}, {@code dK = dSᵀ Q},
 * {@code dV = Pᵀ dO} (FlashAttention-2, arXiv 2307.08691).
 *
 * <p>Threading: one thread at a time.
 */
final class FloatWindowSweep {
  /** Tokens in a block of queries and in a tile of keys. */
  static final int BLOCK = 64;

  private final AttentionShape shape;
  private final int window;
  private final FloatTile queries;
  private final FloatTile keys;
  private final FloatTile keysAcross;
  private final FloatTile values;
  private final FloatTile valuesAcross;
  private final FloatTile scores;
  private final FloatTile scoreGradients;
  private final FloatTile outputs;
  private final FloatTile gradients;
  private final FloatTile queryGradients;
  private final FloatTile keyGradients;
  private final FloatTile valueGradients;
  private final int[] lowest = new int[BLOCK];
  private final float[] maxima = new float[BLOCK];
  private final float[] sums = new float[BLOCK];
  private final float[] means = new float[BLOCK];
  private final float[] number = new float[1];

  FloatWindowSweep(AttentionShape shape, int window) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    this.shape = shape;
    this.window = window;
    this.queries = new FloatTile(BLOCK, keyWidth);
    this.keys = new FloatTile(BLOCK, keyWidth);
    this.keysAcross = new FloatTile(keyWidth, BLOCK);
    this.values = new FloatTile(BLOCK, valueWidth);
    this.valuesAcross = new FloatTile(valueWidth, BLOCK);
    this.scores = new FloatTile(BLOCK, BLOCK);
    this.scoreGradients = new FloatTile(BLOCK, BLOCK);
    this.outputs = new FloatTile(BLOCK, valueWidth);
    this.gradients = new FloatTile(BLOCK, valueWidth);
    this.queryGradients = new FloatTile(BLOCK, keyWidth);
    this.keyGradients = new FloatTile(BLOCK, keyWidth);
    this.valueGradients = new FloatTile(BLOCK, valueWidth);
  }

  /** Outputs of the tokens {@code [first, last)}, which lie in one block. */
  void forward(
      int head,
      FloatMatrix q,
      FloatMatrix k,
      FloatMatrix v,
      Documents documents,
      int first,
      int last,
      FloatMatrix o,
      FloatMatrix logSums) {
    int halo = haloOf(k, documents);
    int rows = last - first;
    int valueWidth = shape.valueWidth();
    loadKeys(q, head, first, rows, queries);
    findLowest(documents, halo, first, rows);
    outputs.zero();
    Arrays.fill(maxima, 0, rows, Float.NEGATIVE_INFINITY);
    Arrays.fill(sums, 0, rows, 0f);
    for (int tile = firstTile(); tile < last; tile += BLOCK) {
      int from = Math.max(tile, -halo);
      int columns = Math.min(tile + BLOCK, last) - from;
      loadKeys(k, head, halo + from, columns, keys);
      loadValues(v, head, halo + from, columns, values);
      score(rows, columns);
      for (int row = 0; row < rows; row++) {
        absorb(row, lowest[row] - from, first + row + 1 - from, columns);
      }
      FloatTileProduct.multiply(scores, values, 1f, outputs, rows, columns, valueWidth);
    }
    for (int row = 0; row < rows; row++) {
      FloatTileSoftmax.scale(outputs, row, valueWidth, 1f / sums[row]);
      number[0] = FloatNumber.of(maxima[row] + Math.log(sums[row]));
      logSums.write(first + row, head, number, 0, 1);
    }
    storeValues(outputs, o, head, first, rows);
  }

  /** A row's scores become weights relative to its running maximum. */
  private void absorb(int row, int lowestColumn, int endColumn, int columns) {
    int from = Math.max(0, lowestColumn);
    int to = Math.min(columns, endColumn);
    if (from >= to) {
      FloatTileSoftmax.fillOutside(scores, row, 0, 0, columns, 0f);
      return;
    }
    FloatTileSoftmax.fillOutside(scores, row, from, to, columns, Float.NEGATIVE_INFINITY);
    float maximum = Math.max(maxima[row], FloatTileSoftmax.maximum(scores, row, columns));
    if (maximum > maxima[row]) {
      float fade = FloatNumber.of(Math.exp(maxima[row] - maximum));
      sums[row] *= fade;
      FloatTileSoftmax.scale(outputs, row, shape.valueWidth(), fade);
      maxima[row] = maximum;
    }
    sums[row] += FloatTileSoftmax.exponentials(scores, row, columns, maximum);
  }

  /** All gradients of one head. */
  void backward(
      int head,
      FloatMatrix q,
      FloatMatrix k,
      FloatMatrix v,
      FloatMatrix o,
      FloatMatrix logSums,
      FloatMatrix outputGradient,
      Documents documents,
      FloatMatrix dq,
      FloatMatrix dk,
      FloatMatrix dv) {
    int tokens = documents.tokens();
    int halo = haloOf(k, documents);
    clear(head, halo + tokens, dk, dv);
    for (int first = 0; first < tokens; first += BLOCK) {
      int rows = Math.min(BLOCK, tokens - first);
      loadKeys(q, head, first, rows, queries);
      loadValues(outputGradient, head, first, rows, gradients);
      loadValues(o, head, first, rows, outputs);
      findLowest(documents, halo, first, rows);
      for (int row = 0; row < rows; row++) {
        logSums.read(first + row, head, number, 0, 1);
        sums[row] = number[0];
        means[row] = FloatTileSoftmax.dot(gradients, outputs, row, shape.valueWidth());
      }
      queryGradients.zero();
      for (int tile = firstTile(); tile < first + rows; tile += BLOCK) {
        int from = Math.max(tile, -halo);
        int columns = Math.min(tile + BLOCK, first + rows) - from;
        loadKeys(k, head, halo + from, columns, keys);
        loadValues(v, head, halo + from, columns, values);
        loadKeys(dk, head, halo + from, columns, keyGradients);
        loadValues(dv, head, halo + from, columns, valueGradients);
        backwardTile(first, rows, from, columns);
        storeKeys(keyGradients, dk, head, halo + from, columns);
        storeValues(valueGradients, dv, head, halo + from, columns);
      }
      storeKeys(queryGradients, dq, head, first, rows);
    }
  }

  private void backwardTile(int first, int rows, int from, int columns) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    score(rows, columns);
    FloatTileLoop.transpose(values, columns, valueWidth, valuesAcross);
    FloatTileProduct.multiply(
        gradients, valuesAcross, 0f, scoreGradients, rows, valueWidth, columns);
    for (int row = 0; row < rows; row++) {
      int lowestColumn = Math.min(columns, Math.max(0, lowest[row] - from));
      int endColumn = Math.max(lowestColumn, Math.min(columns, first + row + 1 - from));
      FloatTileSoftmax.fillOutside(
          scores, row, lowestColumn, endColumn, columns, Float.NEGATIVE_INFINITY);
      FloatTileSoftmax.exponentials(scores, row, columns, sums[row]);
      FloatTileSoftmax.gradient(scores, scoreGradients, row, columns, means[row]);
    }
    FloatTileProduct.multiply(scoreGradients, keys, 1f, queryGradients, rows, columns, keyWidth);
    FloatTileProduct.multiplyTransposed(
        scoreGradients, queries, 1f, keyGradients, columns, rows, keyWidth);
    FloatTileProduct.multiplyTransposed(
        scores, gradients, 1f, valueGradients, columns, rows, valueWidth);
  }

  private void score(int rows, int columns) {
    FloatTileLoop.transpose(keys, columns, shape.keyWidth(), keysAcross);
    FloatTileProduct.multiply(queries, keysAcross, 0f, scores, rows, shape.keyWidth(), columns);
  }

  /** The first token that each row sees, negative in the halo; it never falls from row to row. */
  private void findLowest(Documents documents, int halo, int first, int rows) {
    for (int row = 0; row < rows; row++) {
      int token = first + row;
      long document = documents.startOf(token);
      lowest[row] = (int) Math.max(Math.max(token + 1L - window, document), -halo);
    }
  }

  private int firstTile() {
    return Math.floorDiv(lowest[0], BLOCK) * BLOCK;
  }

  private static int haloOf(FloatMatrix k, Documents documents) {
    return Math.toIntExact(k.rows() - documents.tokens());
  }

  private void clear(int head, int rows, FloatMatrix dk, FloatMatrix dv) {
    keyGradients.zero();
    valueGradients.zero();
    for (int row = 0; row < rows; row += BLOCK) {
      int count = Math.min(BLOCK, rows - row);
      storeKeys(keyGradients, dk, head, row, count);
      storeValues(valueGradients, dv, head, row, count);
    }
  }

  private void loadKeys(FloatMatrix from, int head, int row, int rows, FloatTile tile) {
    int width = shape.keyWidth();
    FloatTileTransfer.load(from, row, rows, head * width, width, tile);
  }

  private void loadValues(FloatMatrix from, int head, int row, int rows, FloatTile tile) {
    int width = shape.valueWidth();
    FloatTileTransfer.load(from, row, rows, head * width, width, tile);
  }

  private void storeKeys(FloatTile tile, FloatMatrix to, int head, int row, int rows) {
    int width = shape.keyWidth();
    FloatTileTransfer.store(tile, to, row, rows, head * width, width);
  }

  private void storeValues(FloatTile tile, FloatMatrix to, int head, int row, int rows) {
    int width = shape.valueWidth();
    FloatTileTransfer.store(tile, to, row, rows, head * width, width);
  }
}
