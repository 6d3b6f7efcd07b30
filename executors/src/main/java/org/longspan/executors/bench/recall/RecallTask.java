package org.longspan.executors.bench.recall;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;

/**
 * Associative recall (arXiv 2312.04927) across ranks. A sequence starts, in the first rank's slice,
 * with pairs of a key and a value; it ends, in the last rank's slice, with the same keys in another
 * order, at each of which its value is to be predicted. All other tokens are filler, and nothing is
 * predicted there.
 *
 * <p>Each sequence draws its keys and values anew, so nothing can be learned by heart, and a rank
 * that sees its own slice only guesses: it is right with a probability of {@link #CHANCE}.
 *
 * @param ranks that share a sequence
 * @param tokensOfRank tokens in each rank's slice
 * @param seed of all sequences
 */
public record RecallTask(int ranks, int tokensOfRank, long seed) implements Serializable {
  static final int FILLER = 0;
  static final int FIRST_KEY = 1;
  static final int KEYS = 16;
  static final int FIRST_VALUE = FIRST_KEY + KEYS;
  static final int VALUES = 16;
  static final int VOCABULARY = FIRST_VALUE + VALUES;

  /** Pairs in a sequence, and with them values to be recalled. */
  static final int PAIRS = 8;

  /** The probability that a guess is right. */
  public static final double CHANCE = 1.0 / VALUES;

  /** Of a pair: a key and a value, or a key that asks and a filler. */
  private static final int PAIR_TOKENS = 2;

  /** The fewest tokens that a slice may have: those of the pairs. */
  private static final int LEAST_TOKENS = PAIR_TOKENS * PAIRS;

  /** The most tokens that a slice may have, so that a tile of logits holds it. */
  private static final int MOST_TOKENS = 16_384;

  private static final int NOT_ASKED = -1;

  public RecallTask {
    if (ranks < 2) {
      throw new InvalidInputException(
          "Recall needs 2 ranks or more, one with the keys and one with the queries, not " + ranks);
    }
    if (tokensOfRank < LEAST_TOKENS || tokensOfRank > MOST_TOKENS) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "Recall takes slices of %d to %,d tokens, not %,d",
              LEAST_TOKENS,
              MOST_TOKENS,
              tokensOfRank));
    }
  }

  /** Tokens in a sequence. */
  int tokens() {
    return Math.multiplyExact(ranks, tokensOfRank);
  }

  /**
   * What the rank at {@code place} holds of a sequence.
   *
   * @param number which sequence; any number
   */
  SliceInput slice(long number, int place) {
    SplittableRandom random = new SplittableRandom(new SplittableRandom(seed).nextLong() + number);
    int[] keys = Arrays.copyOf(shuffled(KEYS, random), PAIRS);
    int[] values = random.ints(PAIRS, 0, VALUES).toArray();
    int[] asked = shuffled(PAIRS, random);
    int[] tokens = new int[tokens()];
    int[] targets = new int[tokens()];
    Arrays.fill(tokens, FILLER);
    Arrays.fill(targets, NOT_ASKED);
    for (int pair = 0; pair < PAIRS; pair++) {
      tokens[PAIR_TOKENS * pair] = FIRST_KEY + keys[pair];
      tokens[PAIR_TOKENS * pair + 1] = FIRST_VALUE + values[pair];
      int query = tokens() - PAIR_TOKENS * (PAIRS - pair);
      tokens[query] = FIRST_KEY + keys[asked[pair]];
      targets[query] = FIRST_VALUE + values[asked[pair]];
    }
    int from = place * tokensOfRank;
    int to = from + tokensOfRank;
    return new SliceInput(
        Arrays.copyOfRange(tokens, from, to),
        Arrays.copyOfRange(targets, from, to),
        Documents.one(tokensOfRank, from),
        slices(),
        place);
  }

  private List<Slice> slices() {
    BlockGrid grid = new BlockGrid(tokens(), tokensOfRank);
    return IntStream.range(0, ranks).mapToObj(place -> grid.slice(place, ranks)).toList();
  }

  /** The numbers below {@code count} in an order drawn from {@code random}. */
  private static int[] shuffled(int count, SplittableRandom random) {
    int[] numbers = IntStream.range(0, count).toArray();
    for (int last = count - 1; last > 0; last--) {
      int other = random.nextInt(last + 1);
      int number = numbers[last];
      numbers[last] = numbers[other];
      numbers[other] = number;
    }
    return numbers;
  }
}
