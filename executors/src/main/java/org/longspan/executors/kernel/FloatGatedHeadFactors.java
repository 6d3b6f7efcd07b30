package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatGateTile;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/** {@link FloatGatedFactors} of one gate for each head. */
final class FloatGatedHeadFactors implements FloatGatedFactors {
  private final int width;
  private final FloatTile keysAcross;
  private final FloatTile decays;
  private final float[] gates;
  private final float[] rises;
  private final float[] falls;
  private final float[] decay;
  private final float[] sums;
  private final float[] gradients;
  private int length;
  private float log;

  /**
   * @param width key columns of a head
   * @param chunk most tokens in a chunk
   */
  FloatGatedHeadFactors(int width, int chunk) {
    int size = FloatTile.padded(chunk);
    this.width = width;
    this.keysAcross = new FloatTile(width, chunk);
    this.decays = new FloatTile(chunk, chunk);
    this.gates = new float[size];
    this.rises = new float[size];
    this.falls = new float[size];
    this.decay = new float[FloatTile.padded(width)];
    this.sums = new float[size];
    this.gradients = new float[size];
  }

  @Override
  public void loadLogs(FloatMatrix from, int head, long row, int tokens) {
    length = tokens;
    log = 0f;
    for (int r = 0; r < tokens; r++) {
      from.read(row + r, head, gates, r, 1);
      log += gates[r];
      rises[r] = log;
    }
    Arrays.fill(rises, tokens, rises.length, 0f);
  }

  @Override
  public void loadFall(FloatMatrix from, int head, long row, int tokens) {
    loadRise(from, head, row, tokens);
    float sum = 0f;
    for (int s = tokens - 1; s >= 0; s--) {
      falls[s] = sum;
      sum += gates[s];
    }
    Arrays.fill(falls, tokens, falls.length, 0f);
    FloatGateTile.exponentials(falls, 0, falls.length);
  }

  @Override
  public void loadRise(FloatMatrix from, int head, long row, int tokens) {
    loadLogs(from, head, row, tokens);
    FloatGateTile.exponentials(rises, 0, rises.length);
    Arrays.fill(decay, rises[tokens - 1]);
  }

  @Override
  public void load(FloatMatrix from, int head, long row, int tokens) {
    loadFall(from, head, row, tokens);
    FloatGateTile.pairDecays(gates, tokens, sums, decays);
  }

  @Override
  public void addLogs(double[] totals) {
    for (int i = 0; i < width; i++) {
      totals[i] += log;
    }
  }

  @Override
  public float[] decay() {
    return decay;
  }

  @Override
  public void rise(FloatTile from, FloatTile to) {
    FloatTileLoop.scaleRows(from, rises, 0, length, width, to);
  }

  @Override
  public void fall(FloatTile from, FloatTile to) {
    FloatTileLoop.scaleRows(from, falls, 0, length, width, to);
  }

  @Override
  public void scores(FloatTile queries, FloatTile keys, FloatTile scores) {
    FloatTileLoop.transpose(keys, length, width, keysAcross);
    FloatTileProduct.intoTriangle(queries, keysAcross, scores, length, width);
    FloatGateTile.multiplyTriangle(scores, decays, length);
  }

  @Override
  public void pairGradients(
      FloatTile queries,
      FloatTile keys,
      FloatTile scoreGradients,
      FloatTile scores,
      FloatTile queryGradients,
      FloatTile keyGradients) {
    scores(queries, keys, scores);
    FloatGateTile.multiplyTriangle(scoreGradients, decays, length);
    for (int r = 0; r < length; r++) {
      scoreGradients.numbers()[r * scoreGradients.stride() + r] = 0f;
    }
    FloatTileProduct.triangleTimes(scoreGradients, keys, 1f, queryGradients, length, width);
    FloatTileProduct.transposedTriangleTimes(
        scoreGradients, queries, 0f, keyGradients, length, width);
  }

  @Override
  public void store(FloatTile given, FloatMatrix to, int head, long row, int tokens) {
    FloatGateTile.sumColumns(given, tokens, width, gradients);
    for (int r = 0; r < tokens; r++) {
      to.write(row + r, head, gradients, r, 1);
    }
  }

  @Override
  public void add(FloatTile given, FloatMatrix to, int head, long row, int tokens) {
    FloatGateTile.sumColumns(given, tokens, width, sums);
    for (int r = 0; r < tokens; r++) {
      to.read(row + r, head, gradients, r, 1);
      gradients[r] += sums[r];
      to.write(row + r, head, gradients, r, 1);
    }
  }
}
