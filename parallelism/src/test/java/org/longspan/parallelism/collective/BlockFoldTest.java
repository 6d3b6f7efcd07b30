package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

class BlockFoldTest {
  private static final int BLOCK = 4;
  private static final int ELEMENTS = 37;
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 22, 64, 101})
  void shouldGiveTheSameBitsOnAnyNumberOfRanks(int tokens) {
    BlockGrid grid = new BlockGrid(tokens, BLOCK);
    float[][] blocks = new float[(int) grid.blocks()][];
    Random random = new Random(tokens);
    for (int block = 0; block < blocks.length; block++) {
      blocks[block] = new float[ELEMENTS];
      for (int i = 0; i < ELEMENTS; i++) {
        blocks[block][i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(6)));
      }
    }
    float[] expected = sum(grid, blocks, 1).get(0);
    double[] exact = new double[ELEMENTS];
    for (float[] block : blocks) {
      for (int i = 0; i < ELEMENTS; i++) {
        exact[i] += block[i];
      }
    }
    for (int i = 0; i < ELEMENTS; i++) {
      assertThat(expected[i]).isCloseTo((float) exact[i], org.assertj.core.data.Offset.offset(1f));
    }
    for (int ranks : new int[] {2, 3, 4, 7, 8, 16}) {
      for (float[] result : sum(grid, blocks, ranks)) {
        assertThat(result).as("%d ranks", ranks).isEqualTo(expected);
      }
    }
  }

  private static List<float[]> sum(BlockGrid grid, float[][] blocks, int ranks) {
    List<Slice> slices =
        IntStream.range(0, ranks).mapToObj(place -> grid.slice(place, ranks)).toList();
    List<Integer> everyone = IntStream.range(0, ranks).boxed().toList();
    return LocalRanks.run(
        InProcessTransport.connect(ranks, LIMIT),
        transport -> {
          try (Communicator communicator = Communicator.over(transport, everyone, 1)) {
            BlockFold fold = new BlockFold(communicator, BLOCK);
            fold.accept(slices);
            List<BlockFold.Node> nodes = new ArrayList<>();
            Slice own = slices.get(transport.rank());
            for (long start = own.start(); start < own.end(); start += BLOCK) {
              long block = start / BLOCK;
              ByteBuffer bytes = buffer();
              bytes.asFloatBuffer().put(blocks[(int) block]);
              nodes.add(new BlockFold.Node(0, block, bytes));
              while (BlockFold.endsInPair(nodes)) {
                BlockFold.joinLastPair(nodes, ElementType.FLOAT);
              }
            }
            ByteBuffer result = buffer();
            FloatBuffer numbers = result.asFloatBuffer();
            for (int i = 0; i < ELEMENTS; i++) {
              numbers.put(i, Float.NaN);
            }
            int ownNodes = nodes.size();
            fold.sum(nodes, ElementType.FLOAT, result);
            if (ranks > 1) {
              long others = nodesOfAll(slices) - ownNodes;
              long part = part(transport.rank(), ranks);
              assertThat(communicator.receivedBytes())
                  .isEqualTo(Float.BYTES * (others * part + ELEMENTS - part));
            }
            float[] sums = new float[ELEMENTS];
            numbers.get(0, sums);
            return sums;
          }
        });
  }

  /** Elements of the part that a rank adds up. */
  private static long part(int rank, int ranks) {
    return (long) ELEMENTS * (rank + 1) / ranks - (long) ELEMENTS * rank / ranks;
  }

  /**
   * As few nodes as go with the slices: each begins where its size divides, and ends in its slice.
   */
  private static long nodesOfAll(List<Slice> slices) {
    long nodes = 0;
    for (Slice slice : slices) {
      long block = slice.start() / BLOCK;
      long end = (slice.end() + BLOCK - 1) / BLOCK;
      while (slice.length() > 0 && block < end) {
        long size = 1;
        while (block % (2 * size) == 0 && block + 2 * size <= end) {
          size *= 2;
        }
        block += size;
        nodes++;
      }
    }
    return nodes;
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(ELEMENTS * Float.BYTES).order(ByteOrder.nativeOrder());
  }
}
