package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.MessageLabel;

/**
 * Gives the gradients of a halo back to the ranks that hold its rows. Each block of a slice has a
 * halo of its own, the rows just before it; what lies before the slice is sent, block by block, and
 * its owner adds the blocks in their order. So a sum does not depend on which rank holds which
 * blocks, if its owner adds its own blocks first, in their order too.
 *
 * <p>Traffic: each rank receives, for each block to its right, the rows of that block's halo that
 * it holds.
 *
 * <p>Threading: as its {@link Communicator}; what is started runs on the communicator's thread.
 */
public final class HaloGradients {
  private final Communicator communicator;
  private final List<Integer> outerRows = new ArrayList<>();
  private final int tailLength;
  private final List<Share> received = new ArrayList<>();
  private final List<Share> sent = new ArrayList<>();

  /**
   * Rows of one block's halo that this rank shares with another: {@code start} counts from the
   * first row of the tail where they are received, of the block's outer halo where they are sent.
   */
  private record Share(int peer, int block, int start, int rows) {}

  /**
   * @param slices of one sequence, one for each rank of the communicator, in order
   * @param reach rows before a block that it sees, as far as there are so many
   * @param blockLength rows of a block; a slice's last one may be shorter
   */
  public HaloGradients(Communicator communicator, List<Slice> slices, int reach, long blockLength) {
    if (slices.size() != communicator.size() || reach < 0 || blockLength < 1) {
      throw new IllegalArgumentException(
          slices.size()
              + " slices over "
              + communicator.size()
              + " ranks, with a reach of "
              + reach
              + " rows before blocks of "
              + blockLength);
    }
    this.communicator = communicator;
    int index = communicator.index();
    Slice own = slices.get(index);
    this.tailLength = (int) Math.min(reach, own.length());
    long tailStart = own.end() - tailLength;
    // Nearest first on both sides, as in the HaloExchange.
    for (int peer = index + 1; peer < slices.size(); peer++) {
      Slice right = slices.get(peer);
      List<Integer> outer = outerRows(right, reach, blockLength);
      for (int block = 0; block < outer.size(); block++) {
        long from = Math.max(own.start(), right.start() - outer.get(block));
        if (from < own.end()) {
          received.add(new Share(peer, block, (int) (from - tailStart), (int) (own.end() - from)));
        }
      }
    }
    outerRows.addAll(outerRows(own, reach, blockLength));
    for (int peer = index - 1; peer >= 0; peer--) {
      Slice left = slices.get(peer);
      for (int block = 0; block < outerRows.size(); block++) {
        long haloStart = own.start() - outerRows.get(block);
        long from = Math.max(left.start(), haloStart);
        if (from < left.end()) {
          sent.add(new Share(peer, block, (int) (from - haloStart), (int) (left.end() - from)));
        }
      }
    }
  }

  /** For each block that sees rows before the slice: how many. */
  private static List<Integer> outerRows(Slice slice, int reach, long blockLength) {
    List<Integer> rows = new ArrayList<>();
    for (long offset = 0; offset < Math.min(reach, slice.length()); offset += blockLength) {
      int outer = (int) (Math.min(reach, slice.start() + offset) - offset);
      if (outer <= 0) {
        break;
      }
      rows.add(outer);
    }
    return rows;
  }

  /**
   * Gives the gradients back.
   *
   * @param outerGradients for each block that sees rows before the slice, from the first on, the
   *     gradients of those rows
   * @param rowBytes bytes of a row
   * @param tailGradient the slice's last rows, {@code reach} or fewer; what comes from the right is
   *     added to them
   */
  public void giveBack(
      List<ByteBuffer> outerGradients, ElementType type, int rowBytes, ByteBuffer tailGradient) {
    communicator.run(
        MessageLabel.Kind.HALO_BACKWARD, passing(outerGradients, type, rowBytes, tailGradient));
  }

  /** Starts a {@link #giveBack}. The buffers belong to it until the result has been awaited. */
  public Pending startGiveBack(
      List<ByteBuffer> outerGradients, ElementType type, int rowBytes, ByteBuffer tailGradient) {
    return communicator.start(
        MessageLabel.Kind.HALO_BACKWARD, passing(outerGradients, type, rowBytes, tailGradient));
  }

  private Consumer<PeerMessages> passing(
      List<ByteBuffer> outerGradients, ElementType type, int rowBytes, ByteBuffer tailGradient) {
    type.elements(rowBytes);
    if (outerGradients.size() != outerRows.size()) {
      throw new IllegalArgumentException(
          outerGradients.size() + " blocks give gradients where " + outerRows.size() + " do");
    }
    for (int block = 0; block < outerRows.size(); block++) {
      check(outerGradients.get(block), outerRows.get(block), rowBytes);
    }
    check(tailGradient, tailLength, rowBytes);
    List<ByteBuffer> from = outerGradients.stream().map(ByteBuffer::slice).toList();
    ByteBuffer into = tailGradient.slice();
    return messages -> {
      for (Share share : sent) {
        messages.sendSegments(share.peer(), rows(from.get(share.block()), share, rowBytes));
      }
      for (Share share : received) {
        messages.receiveAndAdd(share.peer(), rows(into, share, rowBytes), type);
      }
    };
  }

  private static ByteBuffer rows(ByteBuffer buffer, Share share, int rowBytes) {
    return buffer.slice(share.start() * rowBytes, share.rows() * rowBytes);
  }

  private static void check(ByteBuffer buffer, int rows, int rowBytes) {
    if (buffer.remaining() != (long) rows * rowBytes) {
      throw new IllegalArgumentException(
          buffer.remaining() + " bytes where " + rows + " rows of " + rowBytes + " were expected");
    }
  }
}
