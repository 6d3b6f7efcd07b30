package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.MessageLabel;

/**
 * Sums what the blocks of a sequence give, in one order whichever rank holds them: neighbouring
 * blocks by pairs (2i with 2i + 1), pairs by pairs, and so on; what is left over is added from left
 * to right. So every rank gets the same sum to the last bit, whatever the number of ranks.
 *
 * <p>A rank brings its blocks as few nodes, each the sum of {@code 2^level} of them. Every rank
 * adds up one part of all nodes, then the parts go round.
 *
 * <p>Traffic: of n elements in a node, {@code n_p} of them part p (from {@code ⌊pn/P⌋} on), a rank
 * receives {@code N · n_p + n − n_p}, N the nodes of the other ranks, one each where P and the
 * number of blocks are powers of two.
 *
 * <p>Threading: as its {@link Communicator}. Memory: room for the nodes that are sent and received,
 * grown to the largest that it met.
 */
public final class BlockFold {
  private final Communicator communicator;
  private final int blockLength;
  private List<List<Place>> places = List.of();
  private ByteBuffer sendRoom = Buffers.NOTHING;
  private ByteBuffer receiveRoom = Buffers.NOTHING;

  /**
   * A sum over the blocks {@code [index · 2^level, (index + 1) · 2^level)}.
   *
   * @param sum may be changed
   */
  public record Node(int level, long index, ByteBuffer sum) {
    Place place() {
      return new Place(level, index);
    }
  }

  private record Place(int level, long index) {
    boolean isLeftOf(Place other) {
      return level == other.level && index % 2 == 0 && other.index == index + 1;
    }
  }

  /**
   * @param blockLength rows of a block; a slice's last one may be shorter
   */
  public BlockFold(Communicator communicator, int blockLength) {
    if (blockLength < 1) {
      throw new IllegalArgumentException("Blocks of " + blockLength + " rows");
    }
    this.communicator = communicator;
    this.blockLength = blockLength;
  }

  /**
   * Goes on to another sequence.
   *
   * @param slices one for each rank of the communicator, in order, each starting at a block's start
   */
  public void accept(List<Slice> slices) {
    if (slices.size() != communicator.size()) {
      throw new IllegalArgumentException(
          slices.size() + " slices over " + communicator.size() + " ranks");
    }
    places = slices.stream().map(slice -> places(slice, blockLength)).toList();
  }

  /** The nodes that a rank with {@code slice} brings. */
  private static List<Place> places(Slice slice, int blockLength) {
    long block = slice.start() / blockLength;
    long last = (slice.end() + blockLength - 1) / blockLength;
    List<Place> places = new ArrayList<>();
    while (slice.length() > 0 && block < last) {
      int level = block == 0 ? Long.SIZE - 2 : Long.numberOfTrailingZeros(block);
      while (block + (1L << level) > last) {
        level--;
      }
      places.add(new Place(level, block >> level));
      block += 1L << level;
    }
    return places;
  }

  /** Whether the last two nodes are a pair that is to be joined. */
  public static boolean endsInPair(List<Node> nodes) {
    int size = nodes.size();
    return size >= 2 && nodes.get(size - 2).place().isLeftOf(nodes.get(size - 1).place());
  }

  /** Joins the last two nodes, in the left one's buffer. */
  public static void joinLastPair(List<Node> nodes, ElementType type) {
    Node right = nodes.remove(nodes.size() - 1);
    Node left = nodes.remove(nodes.size() - 1);
    type.add(left.sum(), right.sum());
    nodes.add(new Node(left.level() + 1, left.index() / 2, left.sum()));
  }

  /**
   * The sum over all blocks of the sequence.
   *
   * @param nodes this rank's, from left to right; changed
   * @param result receives the sum, as many bytes as each node has
   */
  public void sum(List<Node> nodes, ElementType type, ByteBuffer result) {
    List<Node> own = joined(nodes, type);
    if (!own.stream().map(Node::place).toList().equals(places.get(communicator.index()))) {
      throw new IllegalArgumentException(
          own.stream().map(Node::place).toList()
              + " are not the nodes of this rank, "
              + places.get(communicator.index()));
    }
    if (communicator.size() == 1) {
      addAll(own, type, result);
      return;
    }
    int elements = type.elements(result.remaining());
    int[] starts = new int[communicator.size() + 1];
    for (int rank = 0; rank < starts.length; rank++) {
      starts[rank] = (int) ((long) elements * rank / communicator.size()) * type.bytes();
    }
    ByteBuffer view = result.slice();
    communicator.run(
        MessageLabel.Kind.BLOCK_SUM, messages -> sum(messages, own, type, view, starts));
  }

  private void sum(
      PeerMessages messages, List<Node> own, ElementType type, ByteBuffer result, int[] starts) {
    int index = messages.index();
    int size = messages.size();
    int partBytes = starts[index + 1] - starts[index];
    int count = places.stream().mapToInt(List::size).sum();
    receiveRoom = Buffers.grown(receiveRoom, count * partBytes);
    List<Node> all = new ArrayList<>();
    int[] roomStarts = new int[size];
    int filled = 0;
    for (int rank = 0; rank < size; rank++) {
      roomStarts[rank] = filled;
      for (Place place : places.get(rank)) {
        all.add(new Node(place.level(), place.index(), receiveRoom.slice(filled, partBytes)));
        filled += partBytes;
      }
    }
    pack(own, starts, index, receiveRoom.slice(roomStarts[index], own.size() * partBytes));
    sendRoom = Buffers.grown(sendRoom, own.size() * (result.limit() / size + type.bytes()));
    for (int distance = 1; distance < size; distance++) {
      int to = messages.neighbour(distance);
      int from = messages.neighbour(-distance);
      ByteBuffer sent = sendRoom.slice(0, own.size() * (starts[to + 1] - starts[to]));
      pack(own, starts, to, sent);
      int bytes = places.get(from).size() * partBytes;
      messages.exchange(to, sent, from, receiveRoom.slice(roomStarts[from], bytes));
    }
    ByteBuffer part = result.slice(starts[index], partBytes);
    addAll(joined(all, type), type, part);
    for (int distance = 1; distance < size; distance++) {
      int to = messages.neighbour(distance);
      int from = messages.neighbour(-distance);
      ByteBuffer received = result.slice(starts[from], starts[from + 1] - starts[from]);
      messages.exchange(to, part, from, received);
    }
  }

  /** The part of rank {@code rank} of each node, one after the other. */
  private static void pack(List<Node> nodes, int[] starts, int rank, ByteBuffer into) {
    int bytes = starts[rank + 1] - starts[rank];
    for (int i = 0; i < nodes.size(); i++) {
      ByteBuffer sum = nodes.get(i).sum();
      into.put(i * bytes, sum, sum.position() + starts[rank], bytes);
    }
  }

  private static List<Node> joined(List<Node> nodes, ElementType type) {
    List<Node> joined = new ArrayList<>();
    for (Node node : nodes) {
      joined.add(node);
      while (endsInPair(joined)) {
        joinLastPair(joined, type);
      }
    }
    return joined;
  }

  private static void addAll(List<Node> nodes, ElementType type, ByteBuffer result) {
    if (nodes.isEmpty()) {
      Buffers.clear(result);
      return;
    }
    Buffers.copy(nodes.get(0).sum(), result);
    for (Node node : nodes.subList(1, nodes.size())) {
      type.add(result, node.sum());
    }
  }
}
