package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatGatePairs;
import org.longspan.executors.vector.FloatGateTile;
import org.longspan.executors.vector.FloatTile;

/** {@link FloatGatedFactors} of a gate for each key column, for short chunks. */
final class FloatGatedKeyFactors implements FloatGatedFactors {
  private final int width;
  private final FloatTile gateLogs;
  private final FloatTile steps;
  private final FloatTile rises;
  private final FloatTile falls;
  private final FloatTile faded;
  private final FloatTile sum;
  private final float[] logs;
  private final float[] decay;
  private int length;

  /**
   * @param width key columns of a head
   * @param chunk most tokens in a chunk
   */
  FloatGatedKeyFactors(int width, int chunk) {
    this.width = width;
    this.gateLogs = new FloatTile(chunk, width);
    this.steps = new FloatTile(chunk, width);
    this.rises = new FloatTile(chunk, width);
    this.falls = new FloatTile(chunk, width);
    this.faded = new FloatTile(chunk, width);
    this.sum = new FloatTile(chunk, width);
    this.logs = new float[FloatTile.padded(width)];
    this.decay = new float[FloatTile.padded(width)];
  }

  @Override
  public void loadLogs(FloatMatrix gates, int head, long row, int tokens) {
    length = tokens;
    FloatTileTransfer.load(gates, row, tokens, head * width, width, gateLogs);
    FloatGateTile.sumRows(gateLogs, tokens, width, logs);
  }

  @Override
  public void loadFall(FloatMatrix gates, int head, long row, int tokens) {
    loadSteps(gates, head, row, tokens);
    FloatGateTile.fallingProducts(steps, tokens, width, falls);
  }

  @Override
  public void loadRise(FloatMatrix gates, int head, long row, int tokens) {
    loadSteps(gates, head, row, tokens);
    FloatGateTile.risingProducts(steps, tokens, width, rises);
  }

  @Override
  public void load(FloatMatrix gates, int head, long row, int tokens) {
    loadFall(gates, head, row, tokens);
    FloatGateTile.risingProducts(steps, tokens, width, rises);
  }

  private void loadSteps(FloatMatrix gates, int head, long row, int tokens) {
    loadLogs(gates, head, row, tokens);
    System.arraycopy(logs, 0, decay, 0, decay.length);
    FloatGateTile.exponentials(decay, 0, decay.length);
    steps.set(gateLogs);
    FloatGateTile.exponentials(steps, tokens);
  }

  @Override
  public void addLogs(double[] sums) {
    for (int i = 0; i < width; i++) {
      sums[i] += logs[i];
    }
  }

  @Override
  public float[] decay() {
    return decay;
  }

  @Override
  public void rise(FloatTile from, FloatTile to) {
    FloatGateTile.multiply(from, rises, length, width, to);
  }

  @Override
  public void fall(FloatTile from, FloatTile to) {
    FloatGateTile.multiply(from, falls, length, width, to);
  }

  @Override
  public void scores(FloatTile queries, FloatTile keys, FloatTile scores) {
    FloatGatePairs.scores(queries, keys, steps, length, width, faded, scores);
  }

  @Override
  public void pairGradients(
      FloatTile queries,
      FloatTile keys,
      FloatTile scoreGradients,
      FloatTile scores,
      FloatTile queryGradients,
      FloatTile keyGradients) {
    FloatGatePairs.gradients(
        queries,
        keys,
        steps,
        scoreGradients,
        length,
        width,
        faded,
        scores,
        queryGradients,
        keyGradients);
  }

  @Override
  public void store(FloatTile gradients, FloatMatrix to, int head, long row, int tokens) {
    FloatTileTransfer.store(gradients, to, row, tokens, head * width, width);
  }

  @Override
  public void add(FloatTile gradients, FloatMatrix to, int head, long row, int tokens) {
    FloatTileTransfer.load(to, row, tokens, head * width, width, sum);
    FloatGateTile.add(gradients, tokens, width, sum);
    FloatTileTransfer.store(sum, to, row, tokens, head * width, width);
  }
}
