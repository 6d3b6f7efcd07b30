package org.longspan.parallelism.transport;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a message is a part of, in the 32 bits that travel with it: a kind and a running number. The
 * sender says it and the receiver expects it, so ranks that call collectives in another order than
 * their peers fail instead of mixing up their bytes.
 *
 * <pre>
 *   31         24 23                                              0
 *  +-------------+-------------------------------------------------+
 *  | Kind's code |           Running number modulo 2^24            |
 *  +-------------+-------------------------------------------------+
 * </pre>
 */
public final class MessageLabel {
  private static final int NUMBER_BITS = 24;
  private static final int NUMBER_MASK = (1 << NUMBER_BITS) - 1;

  /** What a message may be a part of. */
  public enum Kind {
    SEND(1, "send"),
    BARRIER(2, "barrier"),
    BROADCAST(3, "broadcast"),
    ALL_REDUCE(4, "all-reduce"),
    REDUCE_SCATTER(5, "reduce-scatter"),
    ALL_GATHER(6, "all-gather"),
    ALL_TO_ALL(7, "all-to-all"),
    HALO_FORWARD(8, "halo forward"),
    HALO_BACKWARD(9, "halo backward"),
    SCAN_CHAIN_FORWARD(10, "scan-chain forward"),
    SCAN_CHAIN_BACKWARD(11, "scan-chain backward"),
    SCAN_LOG_FORWARD(12, "scan-log forward"),
    SCAN_LOG_BACKWARD(13, "scan-log backward"),
    SCAN_REPLAY_FORWARD(14, "scan-replay forward"),
    SCAN_REPLAY_BACKWARD(15, "scan-replay backward"),
    LASP1_FORWARD(16, "lasp1 forward"),
    LASP1_BACKWARD(17, "lasp1 backward"),
    LASP2_FORWARD(18, "lasp2 forward"),
    LASP2_BACKWARD(19, "lasp2 backward"),
    LINK_MEASUREMENT(20, "link measurement");

    private static final Map<Integer, Kind> BY_CODE =
        Arrays.stream(values()).collect(Collectors.toMap(kind -> kind.code, Function.identity()));

    private final int code;
    private final String words;

    Kind(int code, String words) {
      this.code = code;
      this.words = words;
    }

    /** The kind in the words of messages. */
    @Override
    public String toString() {
      return words;
    }
  }

  private MessageLabel() {}

  /** The label of the message of this kind and number; of the number, the low 24 bits count. */
  public static int of(Kind kind, long number) {
    return kind.code << NUMBER_BITS | (int) (number & NUMBER_MASK);
  }

  /**
   * A label in the words of messages: {@code all-reduce 17}. Labels of no kind have words too, so
   * that whatever a peer sent can be named.
   */
  public static String words(int label) {
    Kind kind = Kind.BY_CODE.get(label >>> NUMBER_BITS);
    return kind == null
        ? "label 0x" + Integer.toHexString(label)
        : kind + " " + (label & NUMBER_MASK);
  }
}
