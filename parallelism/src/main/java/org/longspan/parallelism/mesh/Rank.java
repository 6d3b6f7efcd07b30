package org.longspan.parallelism.mesh;

/** One rank's place in its {@link Mesh}: its number, and its coordinate on each side. */
public record Rank(int number, int data, int sequence, int tensor) {}
