package org.longspan.driver.event;

/**
 * What a rank says of itself to the others when they meet.
 *
 * @param host where it listens
 * @param port where it listens
 * @param fingerprint what must be equal on every rank
 */
public record Introduction(int rank, int attempt, String host, int port, String fingerprint) {}
