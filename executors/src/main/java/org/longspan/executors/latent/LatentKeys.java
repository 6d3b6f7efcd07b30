package org.longspan.executors.latent;

import java.util.List;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.mesh.Slice;

/**
 * The latents of neighbouring tokens, in blocks, and the scaled weights that expand them to keys
 * and values. Immutable.
 *
 * @param positions of the tokens
 * @param latents {@code [tokens, columns + rope]}
 * @param keyWeights {@code [columns, heads · nope]}
 * @param valueWeights {@code [columns, heads · value]}
 * @param blockLength tokens of a block; the last one may have fewer
 */
record LatentKeys(
    LatentShare share,
    Slice positions,
    Matrix latents,
    Matrix keyWeights,
    Matrix valueWeights,
    int blockLength) {

  long length() {
    return positions.length();
  }

  int blocks() {
    return Math.toIntExact((length() + blockLength - 1) / blockLength);
  }

  /** The first token of a block, counted from the first of all. */
  long edge(int block) {
    return Math.min(length(), (long) block * blockLength);
  }

  /** Some of the blocks. */
  LatentKeys part(int firstBlock, int endBlock) {
    long from = edge(firstBlock);
    long to = edge(endBlock);
    return new LatentKeys(
        share,
        new Slice(positions.start() + from, positions.start() + to),
        latents.rows(from, to),
        keyWeights,
        valueWeights,
        blockLength);
  }

  /** Whether any of the tokens is seen by any of the queries. */
  boolean isSeen(QueryRows queries) {
    return queries.block().sees(positions.start(), positions.end());
  }

  boolean isSeen(List<QueryRows> queries) {
    return queries.stream().anyMatch(this::isSeen);
  }

  /** A group's columns of the latents. */
  Matrix content(int group) {
    int columns = share.shape().groupColumns();
    return latents.columns(group * columns, (group + 1) * columns);
  }

  /** The rotated keys. */
  Matrix rope() {
    return latents.columns(share.columns(), share.latentWidth());
  }

  /** A group's rows and a head's columns of {@code [columns, heads · width]}. */
  Matrix ofPart(Matrix weights, int part, int width) {
    int head = part % share.heads();
    return ofGroup(weights, part / share.heads()).columns(head * width, (head + 1) * width);
  }

  /** A group's rows of {@code [columns, heads · width]}. */
  Matrix ofGroup(Matrix weights, int group) {
    long columns = share.shape().groupColumns();
    return weights.rows(group * columns, (group + 1) * columns);
  }
}
