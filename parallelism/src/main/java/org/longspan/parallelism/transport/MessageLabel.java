package org.longspan.parallelism.transport;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a message is a part of, in the 32 bits that travel with it: a kind, the running number of
 * what it is a part of, and its own number there. The sender says it and the receiver expects it,
 * so ranks that call collectives in another order than their peers fail instead of mixing up their
 * bytes, and so does a rank to which messages come twice or in another order.
 *
 * <pre>
 *   31         24 23                    12 11                     0
 *  +-------------+------------------------+------------------------+
 *  | Kind's code | Running number, modulo | Message from 1 on, in  |
 *  |             | 2^12                   | turns; 0: the only one |
 *  +-------------+------------------------+------------------------+
 * </pre>
 */
public final class MessageLabel {
  private static final int MESSAGE_BITS = 12;
  private static final int NUMBER_BITS = 12;
  private static final int MESSAGE_MASK = (1 << MESSAGE_BITS) - 1;
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
    LINK_MEASUREMENT(20, "link measurement"),
    BLOCK_SUM(21, "block sum");

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

  /** The label of the only message of this kind and number, of which the low 12 bits count. */
  public static int of(Kind kind, long number) {
    return kind.code << (NUMBER_BITS + MESSAGE_BITS) | (int) (number & NUMBER_MASK) << MESSAGE_BITS;
  }

  /** The label of one message of several, counted from 0, of this kind and number. */
  public static int of(Kind kind, long number, long message) {
    return of(kind, number) | (int) (message % MESSAGE_MASK + 1);
  }

  /** The label of the same message of the next number. */
  static int next(int label) {
    int number = ((label >>> MESSAGE_BITS) + 1) & NUMBER_MASK;
    return (label & ~(NUMBER_MASK << MESSAGE_BITS)) | number << MESSAGE_BITS;
  }

  /**
   * A label in the words of messages: {@code all-reduce 17 (message 2)}. Labels of no kind have
   * words too, so that whatever a peer sent can be named.
   */
  public static String words(int label) {
    Kind kind = Kind.BY_CODE.get(label >>> (NUMBER_BITS + MESSAGE_BITS));
    if (kind == null) {
      return "label 0x" + Integer.toHexString(label);
    }
    int message = label & MESSAGE_MASK;
    return kind
        + " "
        + (label >>> MESSAGE_BITS & NUMBER_MASK)
        + (message == 0 ? "" : " (message " + message + ")");
  }
}
