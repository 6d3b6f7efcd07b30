package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.Transport;

/**
 * What a collective sends to the other members and receives from them, which are named by their
 * places in the group. Each message says which one of which collective it is, so that a peer that
 * is in another collective, or a message that comes twice or in another order, is found.
 *
 * <p>Threading: one thread at a time; the bytes received may be read by any.
 */
final class PeerMessages {
  /**
   * What a ring passes on at once; small against the transport's window, so that no rank blocks.
   */
  static final int SEGMENT_BYTES = 256 << 10;

  private final Transport transport;
  private final List<Integer> ranks;
  private final int channel;
  private final int index;
  private final long[] sent;
  private final long[] received;
  private final long[] directlySent;
  private final long[] directlyReceived;
  private final AtomicLong receivedBytes = new AtomicLong();
  private final Arithmetic floats = ElementType.FLOAT.arithmetic();
  private final Arithmetic doubles = ElementType.DOUBLE.arithmetic();
  private ByteBuffer scratch = Buffers.NOTHING;
  private MessageLabel.Kind kind = MessageLabel.Kind.SEND;
  private long number;

  /**
   * @param ranks the group's members, in its order, this rank among them
   */
  PeerMessages(Transport transport, List<Integer> ranks, int channel) {
    this.transport = transport;
    this.ranks = ranks;
    this.channel = channel;
    this.index = ranks.indexOf(transport.rank());
    this.sent = new long[ranks.size()];
    this.received = new long[ranks.size()];
    this.directlySent = new long[ranks.size()];
    this.directlyReceived = new long[ranks.size()];
  }

  int rank() {
    return transport.rank();
  }

  int index() {
    return index;
  }

  int size() {
    return ranks.size();
  }

  long receivedBytes() {
    return receivedBytes.get();
  }

  /** The member {@code distance} places on, round the ring. */
  int neighbour(int distance) {
    return Math.floorMod(index + distance, size());
  }

  /** From here on messages belong to this collective. */
  void begin(MessageLabel.Kind ofKind, long runningNumber) {
    kind = ofKind;
    number = runningNumber;
    Arrays.fill(sent, 0);
    Arrays.fill(received, 0);
  }

  void send(int place, ByteBuffer bytes) {
    transport.send(ranks.get(place), channel, label(sent, directlySent, place), bytes);
  }

  void receive(int place, ByteBuffer into) {
    transport.receive(ranks.get(place), channel, label(received, directlyReceived, place), into);
    receivedBytes.addAndGet(into.remaining());
  }

  /**
   * The next message to or from a member. Those from one rank to another outside of collectives are
   * counted by the two for themselves, as the others do not know of them.
   */
  private int label(long[] inCollective, long[] directly, int place) {
    return kind == MessageLabel.Kind.SEND
        ? MessageLabel.of(kind, directly[place]++)
        : MessageLabel.of(kind, number, inCollective[place]++);
  }

  /** The counterpart of {@link #receiveAndAdd}. */
  void sendSegments(int place, ByteBuffer bytes) {
    for (int number = 0; number < segments(bytes); number++) {
      send(place, segment(bytes, number));
    }
  }

  /** Receives in segments and adds, each to what is there. */
  void receiveAndAdd(int place, ByteBuffer sum, ElementType type) {
    for (int number = 0; number < segments(sum); number++) {
      ByteBuffer segment = segment(sum, number);
      ByteBuffer arrived = scratch(segment.remaining());
      receive(place, arrived);
      arithmetic(type).add(segment, arrived);
    }
  }

  /**
   * Sends to one rank while receiving from another, segment by segment, so that ranks that do so in
   * a circle do not wait for each other, whatever the sizes. Where nothing is to be sent or
   * received, its rank does not matter.
   */
  void exchange(int to, ByteBuffer given, int from, ByteBuffer taken) {
    for (int number = 0; number < Math.max(segments(given), segments(taken)); number++) {
      if (number < segments(given)) {
        send(to, segment(given, number));
      }
      if (number < segments(taken)) {
        receive(from, segment(taken, number));
      }
    }
  }

  /** As {@link #exchange}; adds what arrives to what is there. */
  void exchangeAndAdd(int to, ByteBuffer given, int from, ByteBuffer sum, ElementType type) {
    for (int number = 0; number < Math.max(segments(given), segments(sum)); number++) {
      if (number < segments(given)) {
        send(to, segment(given, number));
      }
      if (number < segments(sum)) {
        receiveAndAdd(from, segment(sum, number), type);
      }
    }
  }

  /**
   * As {@link #exchange}, for members of which one does not know what the other expects: the last
   * segment is shorter than the others, if need be empty, so that another length is found. Nothing
   * goes to or comes from this rank itself.
   */
  void pass(int to, ByteBuffer given, int from, ByteBuffer taken) {
    int sends = to == index ? 0 : given.remaining() / SEGMENT_BYTES + 1;
    int receives = from == index ? 0 : taken.remaining() / SEGMENT_BYTES + 1;
    for (int number = 0; number < Math.max(sends, receives); number++) {
      if (number < sends) {
        send(to, segment(given, number));
      }
      if (number < receives) {
        receive(from, segment(taken, number));
      }
    }
  }

  /** Into how many segments the remaining bytes are cut. */
  static int segments(ByteBuffer bytes) {
    return bytes.remaining() / SEGMENT_BYTES + (bytes.remaining() % SEGMENT_BYTES == 0 ? 0 : 1);
  }

  /** One of them, counted from 0; right behind the last one there is an empty one. */
  static ByteBuffer segment(ByteBuffer bytes, int number) {
    int start = bytes.position() + number * SEGMENT_BYTES;
    return bytes.slice(start, Math.min(SEGMENT_BYTES, bytes.limit() - start));
  }

  private Arithmetic arithmetic(ElementType type) {
    return switch (type) {
      case FLOAT -> floats;
      case DOUBLE -> doubles;
    };
  }

  private ByteBuffer scratch(int bytes) {
    if (scratch.capacity() == 0) {
      scratch = ByteBuffer.allocateDirect(SEGMENT_BYTES);
    }
    return scratch.limit(bytes);
  }
}
