package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.MessageLabel;

/**
 * Gives each rank the rows just before its slice of a sequence, its halo. The rows come straight
 * from their owners, from as many ranks to the left as the halo reaches over; ranks without tokens
 * neither give nor take. {@link HaloGradients} gives their gradients back.
 *
 * <p>Traffic: a rank receives the rows of its halo.
 *
 * <p>Threading: as its {@link Communicator}; what is started runs on the communicator's thread.
 */
public final class HaloExchange {
  private final Communicator communicator;
  private final int length;
  private final int tailLength;
  private final List<Share> given;
  private final List<Share> taken;

  /**
   * Rows that this rank shares with another: {@code start} counts from the first row of the tail
   * where they are given, of the halo where they are taken.
   */
  private record Share(int peer, int start, int rows) {}

  /**
   * @param slices of one sequence, one for each rank of the communicator, each starting where the
   *     one before ends, the first at 0
   * @param reach rows before a slice that its rank needs, as far as there are so many
   */
  public HaloExchange(Communicator communicator, List<Slice> slices, int reach) {
    check(communicator, slices, reach);
    this.communicator = communicator;
    int index = communicator.index();
    Slice own = slices.get(index);
    this.length = haloLength(own, reach);
    this.tailLength = (int) Math.min(reach, own.length());
    this.given = new ArrayList<>();
    this.taken = new ArrayList<>();
    long tailStart = own.end() - tailLength;
    // Nearest first on both sides: with that order no rank waits in a circle, however little the
    // transport holds.
    for (int peer = index + 1; peer < slices.size(); peer++) {
      Slice right = slices.get(peer);
      long from = Math.max(own.start(), right.start() - haloLength(right, reach));
      if (from < own.end() && right.length() > 0) {
        given.add(new Share(peer, (int) (from - tailStart), (int) (own.end() - from)));
      }
    }
    long haloStart = own.start() - length;
    for (int peer = index - 1; peer >= 0; peer--) {
      Slice left = slices.get(peer);
      long from = Math.max(left.start(), haloStart);
      if (from < left.end() && own.length() > 0) {
        taken.add(new Share(peer, (int) (from - haloStart), (int) (left.end() - from)));
      }
    }
  }

  private static void check(Communicator communicator, List<Slice> slices, int reach) {
    if (slices.size() != communicator.size() || reach < 0) {
      throw new IllegalArgumentException(
          slices.size()
              + " slices over "
              + communicator.size()
              + " ranks, with a reach of "
              + reach
              + " rows");
    }
    long end = 0;
    for (Slice slice : slices) {
      if (slice.start() != end) {
        throw new IllegalArgumentException(slice + " does not start at " + end);
      }
      end = slice.end();
    }
  }

  private static int haloLength(Slice slice, int reach) {
    return slice.length() == 0 ? 0 : (int) Math.min(reach, slice.start());
  }

  /** Rows of this rank's halo: the reach, or fewer near the start; 0 for a rank without tokens. */
  public int length() {
    return length;
  }

  /** Rows of this rank's tail, its last ones, which others may need: the reach, or fewer. */
  public int tailLength() {
    return tailLength;
  }

  /**
   * Fetches the halo.
   *
   * @param tail this rank's own last {@link #tailLength} rows
   * @param rowBytes bytes of a row
   * @param halo receives the {@link #length} rows just before the slice, in order
   */
  public void fetch(ByteBuffer tail, int rowBytes, ByteBuffer halo) {
    communicator.run(MessageLabel.Kind.HALO_FORWARD, passing(tail, rowBytes, halo));
  }

  /** Starts a {@link #fetch}. The buffers belong to it until the result has been awaited. */
  public Pending startFetch(ByteBuffer tail, int rowBytes, ByteBuffer halo) {
    return communicator.start(MessageLabel.Kind.HALO_FORWARD, passing(tail, rowBytes, halo));
  }

  private Consumer<PeerMessages> passing(ByteBuffer tail, int rowBytes, ByteBuffer halo) {
    checkRows(tail, tailLength, rowBytes, "tail");
    checkRows(halo, length, rowBytes, "halo");
    ByteBuffer from = tail.slice();
    ByteBuffer into = halo.slice();
    return messages -> {
      for (Share share : given) {
        messages.send(share.peer(), rows(from, share, rowBytes));
      }
      for (Share share : taken) {
        messages.receive(share.peer(), rows(into, share, rowBytes));
      }
    };
  }

  private static ByteBuffer rows(ByteBuffer buffer, Share share, int rowBytes) {
    return buffer.slice(share.start() * rowBytes, share.rows() * rowBytes);
  }

  private static void checkRows(ByteBuffer buffer, int rows, int rowBytes, String name) {
    if (buffer.remaining() != (long) rows * rowBytes) {
      throw new IllegalArgumentException(
          "The "
              + name
              + " has "
              + buffer.remaining()
              + " bytes where "
              + rows
              + " rows of "
              + rowBytes
              + " were expected");
    }
  }
}
