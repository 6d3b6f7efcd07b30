package org.longspan.executors.generate;

/**
 * What is remembered of the text read so far, in bytes.
 *
 * @param perToken for each token
 * @param constant whatever the number of tokens: states, and windows of keys and values
 */
public record CacheSize(long perToken, long constant) {

  CacheSize plus(CacheSize other) {
    return new CacheSize(perToken + other.perToken, constant + other.constant);
  }
}
