package org.longspan.parallelism.transport;

import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Another rank as this one sees it: the connection opened to it, on which this rank sends, the one
 * accepted from it, on which it receives, and the channels.
 *
 * <p>A closed accepted connection says that the peer is lost, after everything that it sent was
 * read. A closed opened connection may be seen before the last messages on the other one are read,
 * so receivers get some grace then.
 *
 * <p>Threading: any thread; what arrives is delivered by the library's thread of the accepted
 * connection.
 */
final class NetworkPeer {
  private static final Duration GRACE = Duration.ofSeconds(1);

  private final RankIdentity own;
  private final int peer;
  private final Duration timeLimit;
  private final OpenedConnection opened;
  private final ConcurrentHashMap<Integer, OutgoingLane> outgoing = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, IncomingLane> incoming = new ConcurrentHashMap<>();

  private volatile Channel accepted;
  private volatile String sendingLost;
  private volatile Loss receivingLost;
  private volatile String remark;

  /** Why no more bytes come, and how long receivers wait all the same. */
  private record Loss(String sentence, Duration grace) {}

  NetworkPeer(
      RankIdentity own,
      int peer,
      InetSocketAddress address,
      SparkNetwork network,
      Duration timeLimit) {
    this.own = own;
    this.peer = peer;
    this.timeLimit = timeLimit;
    this.opened = new OpenedConnection(own, peer, address, network, this::loseSending);
  }

  void send(int channel, int label, ByteBuffer payload) {
    outgoing(channel).send(label, payload);
  }

  void receive(int channel, int label, ByteBuffer into) {
    Deadline deadline = Deadline.after(timeLimit);
    IncomingLane lane = incoming(channel);
    try {
      // Without a connection of our own there is no way to give room back, nor to see a peer die
      // that never called.
      opened.open(new Route(own.rank(), peer, channel, label), deadline);
    } catch (TransportException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
    }
    lane.receive(label, into, deadline);
  }

  /** Takes the connection as the one from this peer; false where it has another already. */
  synchronized boolean accept(Channel connection) {
    if (accepted == null) {
      accepted = connection;
    }
    return accepted.equals(connection);
  }

  /** What this rank sends to the peer says this from now on. */
  void claim(RankIdentity claimed) {
    opened.claim(claimed);
  }

  boolean hasOpened(Channel connection) {
    return opened.is(connection);
  }

  /** This peer took {@code bytes} payload bytes of the channel in all. */
  void credit(int channel, long bytes) {
    outgoing(channel).credit(bytes);
  }

  /** The peer is gone or wrong, and everything that it sent has been delivered. */
  void lose(String sentence) {
    loseSending(sentence);
    loseReceiving(new Loss(sentence, Duration.ZERO));
  }

  private void loseSending(String sentence) {
    if (sendingLost == null) {
      sendingLost = sentence;
      opened.fail(sentence);
      outgoing.values().forEach(lane -> lane.fail(sentence));
    }
    if (receivingLost == null) {
      loseReceiving(new Loss(sentence, GRACE));
    }
  }

  private void loseReceiving(Loss loss) {
    receivingLost = loss;
    incoming.values().forEach(lane -> lane.fail(loss.sentence(), loss.grace()));
  }

  /** Something about this peer that receivers want to know if nothing comes. */
  void remark(String sentence) {
    remark = sentence;
    incoming.values().forEach(lane -> lane.remark(sentence));
  }

  /** Waits until what was sent is with the operating system, or there is no hope for it. */
  void settle(long deadline) throws InterruptedException {
    opened.settle(deadline);
  }

  void close() {
    lose("this rank's transport is closed");
    opened.close();
    Channel connection = accepted;
    if (connection != null) {
      OpenedConnection.close(connection);
    }
  }

  private OutgoingLane outgoing(int channel) {
    OutgoingLane lane =
        outgoing.computeIfAbsent(
            channel,
            key -> new OutgoingLane(new Route(own.rank(), peer, channel), opened, timeLimit));
    String sentence = sendingLost;
    if (sentence != null) {
      lane.fail(sentence);
    }
    return lane;
  }

  IncomingLane incoming(int channel) {
    IncomingLane lane = incoming.get(channel);
    if (lane == null) {
      lane = incoming.computeIfAbsent(channel, this::newIncoming);
      Loss loss = receivingLost;
      if (loss != null) {
        lane.fail(loss.sentence(), loss.grace());
      }
      String sentence = remark;
      if (sentence != null) {
        lane.remark(sentence);
      }
    }
    return lane;
  }

  private IncomingLane newIncoming(int channel) {
    return new IncomingLane(
        new Route(own.rank(), peer, channel),
        bytes -> opened.write(FrameHeader.credit(opened.identity(), channel, bytes)));
  }
}
