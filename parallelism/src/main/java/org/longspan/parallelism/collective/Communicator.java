package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.Transport;

/**
 * A group of ranks that act together. Every member calls the same collectives in the same order;
 * groups on different channels do not hold each other up. A rank whose peer calls another one
 * fails, and names both.
 *
 * <p>Each collective on buffers is there twice: by its plain name it returns when this rank's part
 * is done; with {@code start} before it, it is under way, and its buffers belong to it until the
 * {@link Pending} has been awaited. Buffers hold numbers in native byte order from position to
 * limit; no position moves. Direct buffers are the fast ones. Buffers travel in segments of 256 KiB
 * where ranks would otherwise wait for each other in a circle.
 *
 * <p>Traffic is given in bytes that a rank receives: P ranks, n bytes, {@code n_p} of them part p;
 * {@link #receivedBytes} counts them.
 *
 * <p>Threading: one thread calls a communicator. Collectives that give a {@link Pending} run on the
 * communicator's own thread, which starts with the first of them; the others run on the caller's,
 * after those under way. When one collective fails, all later ones do. {@link #close} interrupts
 * what is under way and ends the thread; the transport stays open.
 *
 * <p>Errors: a {@link org.longspan.parallelism.transport.TransportException} says rank, peer,
 * collective and, where {@link #position} was told, step and layer.
 */
public final class Communicator implements AutoCloseable {
  private final PeerMessages messages;
  private final CollectiveThread thread;
  private long step = -1;
  private int layer = -1;
  private long collectives;

  private Communicator(PeerMessages messages, int channel) {
    this.messages = messages;
    this.thread = new CollectiveThread(messages, channel);
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
    return new Communicator(new PeerMessages(transport, members, channel), channel);
  }

  /** This rank's place in the group. */
  public int index() {
    return messages.index();
  }

  /** Ranks in the group. */
  public int size() {
    return messages.size();
  }

  /** Bytes that this rank has received through this communicator; any thread may ask. */
  public long receivedBytes() {
    return messages.receivedBytes();
  }

  /**
   * Says where in the training the collectives that are called from now on belong, for the errors
   * of these.
   *
   * @param step −1 for none
   * @param layer −1 for none
   */
  public void position(long step, int layer) {
    this.step = step;
    this.layer = layer;
  }

  /**
   * Sums {@code elements} over the ranks, in place; the result is the same to the last bit on every
   * rank. A ring: a reduce-scatter, then an all-gather of the parts.
   *
   * <p>Received: {@code 2n − n_{p−1} − n_p} bytes, {@code 2(P−1)/P · n} where P divides the
   * elements; the parts are as in {@link #reduceScatter}.
   */
  public void allReduce(ByteBuffer elements, ElementType type) {
    run(MessageLabel.Kind.ALL_REDUCE, sum(elements, type));
  }

  /** Starts an {@link #allReduce(ByteBuffer, ElementType)}. */
  public Pending startAllReduce(ByteBuffer elements, ElementType type) {
    return start(MessageLabel.Kind.ALL_REDUCE, sum(elements, type));
  }

  private Consumer<PeerMessages> sum(ByteBuffer elements, ElementType type) {
    Parts parts = Parts.even(elements, type, size());
    return ring -> {
      Ring.reduceScatter(ring, parts, type);
      Ring.allGather(ring, parts);
    };
  }

  /**
   * Sums a few numbers over the ranks, in place: an {@link #allReduce(ByteBuffer, ElementType)} of
   * doubles, for a caller that has them in an array and waits for them.
   *
   * <p>Received: as there, of 8 bytes a number.
   */
  public void allReduce(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.nativeOrder());
    DoubleBuffer numbers = bytes.asDoubleBuffer();
    numbers.put(0, values);
    allReduce(bytes, ElementType.DOUBLE);
    numbers.get(0, values);
  }

  /**
   * Sums {@code elements} over the ranks so that each comes to hold one part of the sum, {@link
   * #part}, in place; what the other parts hold afterwards has no meaning. A ring.
   *
   * <p>Received: {@code n − n_{p−1}} bytes, {@code (P−1)/P · n} where P divides the elements.
   */
  public void reduceScatter(ByteBuffer elements, ElementType type) {
    run(MessageLabel.Kind.REDUCE_SCATTER, sumOfPart(elements, type));
  }

  /** Starts a {@link #reduceScatter}. */
  public Pending startReduceScatter(ByteBuffer elements, ElementType type) {
    return start(MessageLabel.Kind.REDUCE_SCATTER, sumOfPart(elements, type));
  }

  private Consumer<PeerMessages> sumOfPart(ByteBuffer elements, ElementType type) {
    Parts parts = Parts.even(elements, type, size());
    return ring -> Ring.reduceScatter(ring, parts, type);
  }

  /**
   * This rank's part of {@code elements}, a view: from element {@code ⌊pn/P⌋} to {@code ⌊(p+1)n/P⌋}
   * of n, p its place in the group.
   */
  public ByteBuffer part(ByteBuffer elements, ElementType type) {
    return Parts.even(elements, type, size()).of(index());
  }

  /**
   * Collects the bytes of all ranks, equally many each, in the order of the group. A ring.
   *
   * <p>Received: {@code (P−1) · n} bytes of {@code n} of its own.
   */
  public void allGather(ByteBuffer own, ByteBuffer all) {
    run(MessageLabel.Kind.ALL_GATHER, gather(own, all));
  }

  /** Starts an {@link #allGather(ByteBuffer, ByteBuffer)}. */
  public Pending startAllGather(ByteBuffer own, ByteBuffer all) {
    return start(MessageLabel.Kind.ALL_GATHER, gather(own, all));
  }

  private Consumer<PeerMessages> gather(ByteBuffer own, ByteBuffer all) {
    if ((long) own.remaining() * size() != all.remaining()) {
      throw new IllegalArgumentException(
          own.remaining() + " bytes of each of " + size() + " ranks are not " + all.remaining());
    }
    Parts parts = Parts.equal(all, own.remaining());
    ByteBuffer given = own.slice();
    return ring -> {
      Buffers.copy(given, parts.of(index()));
      Ring.allGather(ring, parts);
    };
  }

  /**
   * Collects the parts of all ranks, of any sizes, which every rank knows: its own is there before,
   * the others' afterwards. A ring.
   *
   * <p>Received: {@code n − n_p} bytes of n in all parts together.
   *
   * @param parts one for each rank, in the order of the group
   */
  public void allGather(List<ByteBuffer> parts) {
    run(MessageLabel.Kind.ALL_GATHER, gather(parts));
  }

  /** Starts an {@link #allGather(List)}. */
  public Pending startAllGather(List<ByteBuffer> parts) {
    return start(MessageLabel.Kind.ALL_GATHER, gather(parts));
  }

  private Consumer<PeerMessages> gather(List<ByteBuffer> parts) {
    Parts each = Parts.each(parts, size());
    return ring -> Ring.allGather(ring, each);
  }

  /**
   * Gives each rank a part of its own and takes one from each, of any sizes, which both sides know.
   *
   * <p>Received: what the other ranks' parts in {@code taken} hold.
   *
   * @param given one part for each rank, in the order of the group
   * @param taken one part from each rank; as large as what that rank gives to this one
   */
  public void allToAll(List<ByteBuffer> given, List<ByteBuffer> taken) {
    run(MessageLabel.Kind.ALL_TO_ALL, swap(given, taken));
  }

  /** Starts an {@link #allToAll}. */
  public Pending startAllToAll(List<ByteBuffer> given, List<ByteBuffer> taken) {
    return start(MessageLabel.Kind.ALL_TO_ALL, swap(given, taken));
  }

  private Consumer<PeerMessages> swap(List<ByteBuffer> given, List<ByteBuffer> taken) {
    Parts out = Parts.each(given, size());
    Parts in = Parts.each(taken, size());
    Arithmetic.checkEqual(out.of(index()).remaining(), in.of(index()).remaining());
    return ring -> Ring.allToAll(ring, out, in);
  }

  /**
   * Gives every rank the bytes of the rank at place {@code root}. They go from one rank to the next
   * in segments.
   *
   * <p>Received: n bytes, by the root none.
   */
  public void broadcast(ByteBuffer bytes, int root) {
    run(MessageLabel.Kind.BROADCAST, passOn(bytes, root));
  }

  /** Starts a {@link #broadcast}. */
  public Pending startBroadcast(ByteBuffer bytes, int root) {
    return start(MessageLabel.Kind.BROADCAST, passOn(bytes, root));
  }

  private Consumer<PeerMessages> passOn(ByteBuffer bytes, int root) {
    checkPlace(root);
    ByteBuffer view = bytes.slice();
    return ring -> Ring.broadcast(ring, view, root);
  }

  /**
   * Waits until every rank has come here; {@code ⌈log₂P⌉} rounds of empty messages.
   *
   * <p>Received: 0 bytes.
   */
  public void barrier() {
    run(MessageLabel.Kind.BARRIER, Ring::barrier);
  }

  /** Starts a {@link #barrier}. */
  public Pending startBarrier() {
    return start(MessageLabel.Kind.BARRIER, Ring::barrier);
  }

  /**
   * Sends to the member at {@code place}, which calls {@link #receive} or {@link #sendAndReceive}.
   * More than {@link Transport#WINDOW_BYTES} waits for that, so two ranks do not both send so much
   * to each other and receive afterwards.
   *
   * <p>Received: 0 bytes.
   */
  public void send(int place, ByteBuffer bytes) {
    run(MessageLabel.Kind.SEND, sending(place, bytes));
  }

  /** Starts a {@link #send}. */
  public Pending startSend(int place, ByteBuffer bytes) {
    return start(MessageLabel.Kind.SEND, sending(place, bytes));
  }

  private Consumer<PeerMessages> sending(int place, ByteBuffer bytes) {
    checkPeer(place);
    return pass(place, bytes, index(), Buffers.NOTHING);
  }

  /**
   * Receives what the member at {@code place} sends, exactly as many bytes.
   *
   * <p>Received: n bytes.
   */
  public void receive(int place, ByteBuffer into) {
    run(MessageLabel.Kind.SEND, receiving(place, into));
  }

  /** Starts a {@link #receive}. */
  public Pending startReceive(int place, ByteBuffer into) {
    return start(MessageLabel.Kind.SEND, receiving(place, into));
  }

  private Consumer<PeerMessages> receiving(int place, ByteBuffer into) {
    checkPeer(place);
    return pass(index(), Buffers.NOTHING, place, into);
  }

  /**
   * Sends to one member while receiving from another, which may be the same: ranks that do so in a
   * circle do not wait for each other, whatever the sizes.
   *
   * <p>Received: as many bytes as {@code into} has.
   */
  public void sendAndReceive(int to, ByteBuffer bytes, int from, ByteBuffer into) {
    run(MessageLabel.Kind.SEND, passing(to, bytes, from, into));
  }

  /** Starts a {@link #sendAndReceive}. */
  public Pending startSendAndReceive(int to, ByteBuffer bytes, int from, ByteBuffer into) {
    return start(MessageLabel.Kind.SEND, passing(to, bytes, from, into));
  }

  private Consumer<PeerMessages> passing(int to, ByteBuffer bytes, int from, ByteBuffer into) {
    checkPeer(to);
    checkPeer(from);
    return pass(to, bytes, from, into);
  }

  private Consumer<PeerMessages> pass(int to, ByteBuffer bytes, int from, ByteBuffer into) {
    ByteBuffer given = bytes.slice();
    ByteBuffer taken = into.slice();
    return peers -> peers.pass(to, given, from, taken);
  }

  @Override
  public void close() {
    thread.close();
  }

  /** Runs a collective on the caller's thread, after those under way. */
  void run(MessageLabel.Kind kind, Consumer<PeerMessages> body) {
    thread.runInOrder(called(kind, body));
  }

  /** Runs a collective on the communicator's own thread. */
  Pending start(MessageLabel.Kind kind, Consumer<PeerMessages> body) {
    return thread.submit(called(kind, body));
  }

  /** What two ranks pass to each other is no collective: the others do not count it. */
  private Collective called(MessageLabel.Kind kind, Consumer<PeerMessages> body) {
    long number = kind == MessageLabel.Kind.SEND ? 0 : ++collectives;
    return new Collective(kind, number, step, layer, body);
  }

  private void checkPeer(int place) {
    checkPlace(place);
    if (place == index()) {
      throw new IllegalArgumentException("Place " + place + " is this rank's own");
    }
  }

  private void checkPlace(int place) {
    if (place < 0 || place >= size()) {
      throw new IllegalArgumentException(
          "Place " + place + " is not one of a group of " + size() + " ranks");
    }
  }
}
