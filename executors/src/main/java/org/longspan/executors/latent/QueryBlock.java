package org.longspan.executors.latent;

/**
 * Neighbouring tokens whose queries one rank takes to the keys.
 *
 * @param owner sequence place of the rank that holds the tokens
 * @param worker sequence place of the rank that attends for them
 * @param first position in the sequence
 * @param lowest the first position that any of them sees
 */
record QueryBlock(int owner, int worker, long first, int rows, long lowest) {
  /** Position behind the last token. */
  long end() {
    return first + rows;
  }

  QueryBlock by(int other) {
    return new QueryBlock(owner, other, first, rows, lowest);
  }

  /** Whether any of the tokens sees any of the positions {@code [from, to)}. */
  boolean sees(long from, long to) {
    return from < to && lowest < to && from < end();
  }
}
