package org.longspan.executors.generate;

/**
 * What a rank remembers of the text read so far, in bytes.
 *
 * @param perToken for each token, the mean over many
 * @param constant whatever the number of tokens: states, and windows of keys and values
 */
public record CacheSize(double perToken, long constant) {

  CacheSize plus(CacheSize other) {
    return new CacheSize(perToken + other.perToken, constant + other.constant);
  }
}
