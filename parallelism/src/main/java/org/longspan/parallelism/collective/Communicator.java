package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.List;
import org.longspan.parallelism.transport.Transport;

/**
 * A group of ranks that act together. Every member calls the same collectives in the same order;
 * groups on different channels do not hold each other up.
 *
 * <p>Buffers hold numbers in native byte order from position to limit; no position moves. Direct
 * buffers are the fast ones.
 *
 * <p>Threading: one thread calls a communicator. Collectives that give a {@link Pending} run on the
 * communicator's own thread, which starts with the first of them; the others run on the caller's,
 * after those under way. When one collective fails, all later ones do. {@link #close} interrupts
 * what is under way and ends the thread; the transport stays open.
 */
public final class Communicator implements AutoCloseable {
  /**
   * What a ring passes on at once; small against the transport's window, so that no rank blocks.
   */
  static final int SEGMENT_BYTES = 256 << 10;

  private final Transport transport;
  private final List<Integer> ranks;
  private final int channel;
  private final int index;
  private final CollectiveThread thread;
  private final Arithmetic floats = ElementType.FLOAT.arithmetic();
  private final Arithmetic doubles = ElementType.DOUBLE.arithmetic();
  private ByteBuffer scratch = Buffers.NOTHING;

  private Communicator(Transport transport, List<Integer> ranks, int channel) {
    this.transport = transport;
    this.ranks = ranks;
    this.channel = channel;
    this.index = ranks.indexOf(transport.rank());
    this.thread = new CollectiveThread(transport.rank(), channel);
  }

  /**
   * The group of {@code ranks}, in this order, which must hold the transport's own rank. No two
   * groups of a rank share a channel.
   */
  public static Communicator over(Transport transport, List<Integer> ranks, int channel) {
    List<Integer> members = List.copyOf(ranks);
    if (!members.contains(transport.rank())) {
      throw new IllegalArgumentException(
          "Rank " + transport.rank() + " is not in the group " + members);
    }
    if (members.stream().distinct().count() != members.size()) {
      throw new IllegalArgumentException("A rank is twice in the group " + members);
    }
    return new Communicator(transport, members, channel);
  }

  /** This rank's place in the group. */
  public int index() {
    return index;
  }

  /** Ranks in the group. */
  public int size() {
    return ranks.size();
  }

  /**
   * Sums {@code elements} over the ranks, in place; the result is the same to the last bit on every
   * rank. A ring: first each rank comes to hold the sum of one part, then the parts go round. Each
   * rank receives {@code 2(P−1)/P · n} bytes of {@code n} (to within an element for each rank where
   * P does not divide the elements).
   */
  public void allReduce(ByteBuffer elements, ElementType type) {
    type.elements(elements.remaining());
    thread.runInOrder(() -> reduceRing(elements.slice(), type));
  }

  /** Sums a few numbers over the ranks, in place; the same to the last bit on every rank. */
  public void allReduce(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.nativeOrder());
    DoubleBuffer numbers = bytes.asDoubleBuffer();
    numbers.put(0, values);
    allReduce(bytes, ElementType.DOUBLE);
    numbers.get(0, values);
  }

  /**
   * Collects the bytes of all ranks, equally many each, in the order of the group. Each rank
   * receives {@code (P−1) · n} bytes of {@code n} of its own.
   */
  public void allGather(ByteBuffer own, ByteBuffer all) {
    if ((long) own.remaining() * size() != all.remaining()) {
      throw new IllegalArgumentException(
          own.remaining() + " bytes of each of " + size() + " ranks are not " + all.remaining());
    }
    thread.runInOrder(
        () -> {
          int bytes = own.remaining();
          ByteBuffer view = all.slice();
          Buffers.copy(own, view.slice(index * bytes, bytes));
          gatherParts(view, bytes);
        });
  }

  /**
   * Passes parts of {@code bytes} each round, of which every rank holds its own; for collectives
   * only.
   */
  void gatherParts(ByteBuffer all, int bytes) {
    gatherRing(all, part -> part * bytes, index);
  }

  /** Runs a collective on the caller's thread, after those under way. */
  void runInOrder(Runnable collective) {
    thread.runInOrder(collective);
  }

  /**
   * Gives every rank the bytes of the rank at place {@code root}. They go from one rank to the next
   * in segments; each rank but the root receives them once.
   */
  public void broadcast(ByteBuffer elements, int root) {
    if (root < 0 || root >= size()) {
      throw new IllegalArgumentException("No place " + root + " in a group of " + size());
    }
    thread.runInOrder(() -> passOn(elements.slice(), root));
  }

  /** Waits until every rank has come here; {@code ⌈log₂P⌉} rounds of empty messages. */
  public void barrier() {
    thread.runInOrder(
        () -> {
          for (int distance = 1; distance < size(); distance *= 2) {
            send(Math.floorMod(index + distance, size()), Buffers.NOTHING);
            receive(Math.floorMod(index - distance, size()), Buffers.NOTHING);
          }
        });
  }

  @Override
  public void close() {
    thread.close();
  }

  /** Runs a collective on the communicator's own thread. */
  Pending submit(Runnable collective) {
    return thread.submit(collective);
  }

  /** For collectives only, which run one at a time. */
  void send(int place, ByteBuffer bytes) {
    transport.send(ranks.get(place), channel, bytes);
  }

  /** For collectives only, which run one at a time. */
  void receive(int place, ByteBuffer into) {
    transport.receive(ranks.get(place), channel, into);
  }

  /** Receives in segments and adds, each to what is there; for collectives only. */
  void receiveAndAdd(int place, ByteBuffer sum, ElementType type) {
    for (int start = sum.position(); start < sum.limit(); start += SEGMENT_BYTES) {
      ByteBuffer segment = sum.slice(start, Math.min(SEGMENT_BYTES, sum.limit() - start));
      ByteBuffer arrived = scratch(segment.remaining());
      receive(place, arrived);
      arithmetic(type).add(segment, arrived);
    }
  }

  /** The counterpart of {@link #receiveAndAdd}; for collectives only. */
  void sendSegments(int place, ByteBuffer bytes) {
    for (int start = bytes.position(); start < bytes.limit(); start += SEGMENT_BYTES) {
      send(place, bytes.slice(start, Math.min(SEGMENT_BYTES, bytes.limit() - start)));
    }
  }

  private void reduceRing(ByteBuffer view, ElementType type) {
    long elements = type.elements(view.limit());
    Parts parts = part -> (int) (elements * part / size()) * type.bytes();
    for (int step = 0; step < size() - 1; step++) {
      int sent = Math.floorMod(index - step, size());
      int received = Math.floorMod(index - step - 1, size());
      exchange(next(), parts.of(view, sent), before(), parts.of(view, received), type);
    }
    gatherRing(view, parts, index + 1);
  }

  /** Passes the parts round, from {@code first} on, which this rank holds. */
  private void gatherRing(ByteBuffer view, Parts parts, int first) {
    for (int step = 0; step < size() - 1; step++) {
      int sent = Math.floorMod(first - step, size());
      int received = Math.floorMod(first - step - 1, size());
      exchange(next(), parts.of(view, sent), before(), parts.of(view, received), null);
    }
  }

  /**
   * Sends to one rank while receiving from another, segment by segment; for collectives only. Where
   * nothing is to be sent or received, its rank does not matter.
   */
  void exchange(int to, ByteBuffer sent, int from, ByteBuffer received) {
    exchange(to, sent, from, received, null);
  }

  /** As {@link #exchange}; adds what arrives to what is there where a type is given. */
  private void exchange(
      int to, ByteBuffer sent, int from, ByteBuffer received, ElementType addedAs) {
    int longest = Math.max(sent.limit(), received.limit());
    for (int start = 0; start < longest; start += SEGMENT_BYTES) {
      if (start < sent.limit()) {
        send(to, sent.slice(start, Math.min(SEGMENT_BYTES, sent.limit() - start)));
      }
      if (start < received.limit()) {
        ByteBuffer segment =
            received.slice(start, Math.min(SEGMENT_BYTES, received.limit() - start));
        if (addedAs == null) {
          receive(from, segment);
        } else {
          receiveAndAdd(from, segment, addedAs);
        }
      }
    }
  }

  private int next() {
    return Math.floorMod(index + 1, size());
  }

  private int before() {
    return Math.floorMod(index - 1, size());
  }

  private void passOn(ByteBuffer view, int root) {
    int place = Math.floorMod(index - root, size());
    for (int start = 0; start < view.limit(); start += SEGMENT_BYTES) {
      ByteBuffer segment = view.slice(start, Math.min(SEGMENT_BYTES, view.limit() - start));
      if (place > 0) {
        receive(before(), segment);
      }
      if (place < size() - 1) {
        send(next(), segment);
      }
    }
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

  /** Where the parts of a buffer start, in bytes; part P starts at its end. */
  private interface Parts {
    int start(int part);

    default ByteBuffer of(ByteBuffer view, int part) {
      return view.slice(start(part), start(part + 1) - start(part));
    }
  }
}
