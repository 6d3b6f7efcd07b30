package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A {@link Transport} between threads of one JVM. A message is copied once, straight into the
 * receiver's buffer where it already waits.
 */
public final class InProcessTransport implements Transport {
  private static final int PIECE_BYTES = 256 << 10;

  private final int rank;
  private final Duration timeLimit;
  private final List<ConcurrentHashMap<Integer, Lane>> incoming;
  private final AtomicLong received = new AtomicLong();
  private List<InProcessTransport> ranks = List.of();
  private volatile boolean closed;

  private InProcessTransport(int rank, int size, Duration timeLimit) {
    this.rank = rank;
    this.timeLimit = timeLimit;
    this.incoming = Stream.generate(ConcurrentHashMap<Integer, Lane>::new).limit(size).toList();
  }

  /** Transports of {@code ranks} ranks, connected to each other, in the order of the ranks. */
  public static List<Transport> connect(int ranks, Duration timeLimit) {
    if (ranks < 1) {
      throw new IllegalArgumentException("A job has at least one rank, not " + ranks);
    }
    List<InProcessTransport> all =
        IntStream.range(0, ranks)
            .mapToObj(rank -> new InProcessTransport(rank, ranks, timeLimit))
            .toList();
    for (InProcessTransport transport : all) {
      transport.ranks = all;
    }
    return List.copyOf(all);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return ranks.size();
  }

  @Override
  public void send(int peer, int channel, int label, ByteBuffer payload) {
    Route.checkPeer(rank, peer, size());
    ranks.get(peer).lane(rank, channel).send(label, payload);
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    Route.checkPeer(rank, peer, size());
    if (closed) {
      throw new Route(rank, peer, channel, label).failure("this rank's transport is closed");
    }
    lane(peer, channel).mailbox.receive(label, into);
    received.addAndGet(into.remaining());
  }

  @Override
  public long receivedBytes() {
    return received.get();
  }

  @Override
  public void close() {
    closed = true;
    for (InProcessTransport other : ranks) {
      other.incoming.get(rank).values().forEach(lane -> lane.fail(true));
      incoming.get(other.rank).values().forEach(lane -> lane.fail(false));
    }
  }

  /** The lane on which {@code sender} sends to this rank. */
  private Lane lane(int sender, int channel) {
    Lane lane = incoming.get(sender).computeIfAbsent(channel, key -> new Lane(sender, this, key));
    if (ranks.get(sender).closed) {
      lane.fail(true);
    } else if (closed) {
      lane.fail(false);
    }
    return lane;
  }

  /** One channel from one rank to another. */
  private static final class Lane {
    private final ReentrantLock sending = new ReentrantLock();
    private final Route route;
    private final Window window;
    private final Mailbox mailbox;

    Lane(int sender, InProcessTransport receiver, int channel) {
      route = new Route(sender, receiver.rank, channel);
      window = new Window(route, receiver.timeLimit);
      mailbox =
          new Mailbox(
              new Route(receiver.rank, sender, channel), receiver.timeLimit, window::giveBack);
    }

    void send(int label, ByteBuffer payload) {
      try {
        sending.lockInterruptibly();
      } catch (InterruptedException e) {
        throw route.labelled(label).interrupted(e);
      }
      try {
        int length = payload.remaining();
        ByteBuffer piece = payload.duplicate();
        int start = 0;
        do {
          int bytes = Math.min(PIECE_BYTES, length - start);
          piece.limit(payload.position() + start + bytes).position(payload.position() + start);
          window.take(label, bytes);
          mailbox.deliver(label, length, piece);
          start += bytes;
        } while (start < length);
      } finally {
        sending.unlock();
      }
    }

    void fail(boolean bySender) {
      String peerClosed = "the peer has closed its transport";
      String ownClosed = "this rank's transport is closed";
      window.fail(bySender ? ownClosed : peerClosed);
      mailbox.fail(bySender ? peerClosed : ownClosed, Duration.ZERO);
    }
  }
}
