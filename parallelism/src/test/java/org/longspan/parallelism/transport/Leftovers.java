package org.longspan.parallelism.transport;

import io.netty.buffer.PoolArenaMetric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.network.util.NettyUtils;

/** What this JVM holds for the network: threads, sockets and buffers. */
record Leftovers(List<String> threads, long descriptors, long bufferBytes) {
  private static final Duration PATIENCE = Duration.ofSeconds(45);
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  static Leftovers now() throws IOException {
    return new Leftovers(ThreadsOfRanks.alive(), countDescriptors(), countBufferBytes());
  }

  /** What is there once it is no more than {@code before}, or after some patience. */
  static Leftovers since(Leftovers before) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Leftovers now = now();
    while (now.isMoreThan(before) && System.nanoTime() < deadline) {
      Thread.sleep(50);
      now = now();
    }
    return now;
  }

  boolean isMoreThan(Leftovers before) {
    return !threads.isEmpty()
        || descriptors > before.descriptors
        || bufferBytes > before.bufferBytes;
  }

  /** Sockets, and what event loops wait on. */
  private static long countDescriptors() throws IOException {
    try (Stream<Path> links = Files.list(DESCRIPTORS)) {
      return links.filter(Leftovers::isOfTheNetwork).count();
    }
  }

  private static boolean isOfTheNetwork(Path link) {
    try {
      String target = Files.readSymbolicLink(link).toString();
      return target.startsWith("socket:") || target.startsWith("anon_inode:");
    } catch (IOException closedMeanwhile) {
      return false;
    }
  }

  /** Bytes in use of the direct buffers that the network library's pools gave out. */
  private static long countBufferBytes() {
    return Stream.of(true, false)
        .map(cached -> NettyUtils.getSharedPooledByteBufAllocator(true, cached))
        .flatMap(pool -> pool.metric().directArenas().stream())
        .mapToLong(PoolArenaMetric::numActiveBytes)
        .sum();
  }
}
