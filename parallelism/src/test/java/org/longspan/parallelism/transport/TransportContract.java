package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport must do. */
@Timeout(120)
abstract class TransportContract {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final byte POISON = 0x55;
  private static final int CALLING = 90;

  abstract List<Transport> connect(int ranks, Duration timeLimit);

  @Test
  void shouldDeliverInOrderOnEachChannel() {
    int messages = 200;
    LocalRanks.run(
        connect(3, LONG),
        transport -> {
          for (int i = 0; i < messages; i++) {
            for (int peer = 0; peer < 3; peer++) {
              if (peer != transport.rank()) {
                transport.send(peer, 0, 0, number(transport.rank() * 1000 + i));
                transport.send(peer, 5, 0, number(-i));
              }
            }
          }
          for (int peer = 0; peer < 3; peer++) {
            if (peer != transport.rank()) {
              for (int i = 0; i < messages; i++) {
                assertThat(receiveNumber(transport, peer, 5)).isEqualTo(-i);
              }
              for (int i = 0; i < messages; i++) {
                assertThat(receiveNumber(transport, peer, 0)).isEqualTo(peer * 1000 + i);
              }
            }
          }
          assertThat(transport.receivedBytes()).isEqualTo(2L * 2 * messages * Integer.BYTES);
          return null;
        });
  }

  @Test
  void shouldCarryEmptyMessagesAndSuchLargerThanTheWindow() {
    int[] lengths = {0, 1, (256 << 10) + 1, 3 * Transport.WINDOW_BYTES + 7, 0};
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          for (int length : lengths) {
            for (boolean direct : new boolean[] {true, false}) {
              if (transport.rank() == 0) {
                transport.send(1, 0, 0, bytes(length, direct).position(length / 3));
              } else {
                ByteBuffer into = allocate(length + 10, !direct).position(5);
                into.limit(5 + length - length / 3);
                transport.receive(0, 0, 0, into);
                assertThat(into.position()).isEqualTo(5);
                assertThat(into).isEqualTo(bytes(length, direct).position(length / 3));
                assertThat(into.limit(length + 10).get(length + 9)).isZero();
              }
            }
          }
          return null;
        });
  }

  @Test
  void shouldFillTheDestinationAndNothingAroundIt() {
    int[] lengths = {0, 1, (16 << 10) - 1, 16 << 10, 512 << 10, (1 << 20) + 3, 5_000_011};
    int channels = 3;
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          boolean sends = transport.rank() == 0;
          List<Thread> threads = new ArrayList<>();
          AtomicReference<Throwable> failure = new AtomicReference<>();
          for (int channel = 0; channel < channels; channel++) {
            int own = channel;
            Thread thread =
                new Thread(
                    () -> {
                      for (int round = 0; round < 4 * lengths.length; round++) {
                        int length = lengths[(round * (own + 1)) % lengths.length];
                        if (sends) {
                          transport.send(1, own, round, bytes(length, round % 2 == 0));
                        } else {
                          assertFilledExactly(transport, own, round, length);
                        }
                      }
                    });
            thread.setUncaughtExceptionHandler((ended, thrown) -> failure.set(thrown));
            thread.start();
            threads.add(thread);
          }
          threads.forEach(TransportContract::join);
          assertThat(failure).hasNullValue();
          return null;
        });
  }

  private static void assertFilledExactly(Transport transport, int channel, int label, int length) {
    int margin = 1 + label;
    ByteBuffer around = allocate(length + 2 * margin, label % 4 < 2);
    while (around.hasRemaining()) {
      around.put(POISON);
    }
    around.position(margin).limit(margin + length);
    transport.receive(0, channel, label, around);
    assertThat(around.equals(bytes(length, false))).isTrue();
    around.clear();
    for (int i = 0; i < margin; i++) {
      assertThat(around.get(i)).isEqualTo(POISON);
      assertThat(around.get(margin + length + i)).isEqualTo(POISON);
    }
  }

  @Test
  void shouldLeaveTheDestinationOfAWrongMessageAlone() {
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          if (transport.rank() == 0) {
            receiveNumber(transport, 1, 0);
            TransportContract.sleep(100);
            transport.send(1, 1, 7, bytes(1 << 20, true));
            transport.send(1, 2, 0, bytes((1 << 20) + 1, true));
            receiveNumber(transport, 1, 0);
          } else {
            transport.send(0, 0, 0, number(1));
            for (int channel = 1; channel <= 2; channel++) {
              int wrong = channel;
              ByteBuffer into = ByteBuffer.allocateDirect(1 << 20);
              assertThatThrownBy(() -> transport.receive(0, wrong, 0, into))
                  .isInstanceOf(TransportException.class)
                  .hasMessageContaining("arrived where");
              assertThat(into.equals(ByteBuffer.allocate(1 << 20))).isTrue();
            }
            transport.send(0, 0, 0, number(1));
          }
          return null;
        });
  }

  @Test
  void shouldWriteNothingIntoTheDestinationOnceTheReceiveHasEnded() {
    int rounds = 40;
    int length = 4 << 20;
    List<Transport> transports = connect(2, LONG);
    Random random = new Random(rounds);
    for (int round = 0; round < rounds; round++) {
      int channel = round;
      ByteBuffer into = ByteBuffer.allocateDirect(length);
      ByteBuffer[] atItsEnd = new ByteBuffer[1];
      Thread receiver =
          new Thread(
              () -> {
                try {
                  transports.get(1).receive(0, channel, 0, into);
                } catch (TransportException e) {
                  atItsEnd[0] = ByteBuffer.allocate(length).put(0, into, 0, length);
                }
              });
      receiver.start();
      ByteBuffer payload = bytes(length, true);
      Thread sender = new Thread(() -> transports.get(0).send(1, channel, 0, payload));
      sender.start();
      LockSupport.parkNanos(random.nextInt(2_000_000));
      receiver.interrupt();
      join(receiver);
      join(sender);
      sleep(5);
      if (atItsEnd[0] != null) {
        assertThat(into.equals(atItsEnd[0])).isTrue();
      }
    }
    transports.forEach(Transport::close);
  }

  @Test
  void shouldLetThePayloadBeReusedAtOnce() {
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          ByteBuffer payload = ByteBuffer.allocateDirect(1 << 20);
          for (int i = 0; i < 6; i++) {
            if (transport.rank() == 0) {
              payload.putInt(0, i).putInt(payload.limit() - 4, i);
              transport.send(1, 0, 0, payload);
            } else {
              transport.receive(0, 0, 0, payload);
              assertThat(payload.getInt(0)).isEqualTo(i);
              assertThat(payload.getInt(payload.limit() - 4)).isEqualTo(i);
            }
          }
          return null;
        });
  }

  @Test
  void shouldNotHoldUpAnotherChannel() {
    CountDownLatch passed = new CountDownLatch(1);
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          ByteBuffer large = ByteBuffer.allocateDirect(2 * Transport.WINDOW_BYTES);
          if (transport.rank() == 1) {
            assertThat(receiveNumber(transport, 0, 1)).isEqualTo(42);
            passed.countDown();
            transport.receive(0, 0, 0, large);
            return null;
          }
          Thread blocked = new Thread(() -> transport.send(1, 0, 0, large));
          blocked.start();
          transport.send(1, 1, 0, number(42));
          awaitLatch(passed);
          join(blocked);
          return null;
        });
  }

  @Test
  void shouldRefuseAMessageOfAnotherLength() {
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          if (transport.rank() == 0) {
            transport.send(1, 3, 0, ByteBuffer.allocate(9));
            transport.receive(1, 0, 0, ByteBuffer.allocate(0));
          } else {
            assertThatThrownBy(() -> transport.receive(0, 3, 0, ByteBuffer.allocate(8)))
                .isInstanceOf(TransportException.class)
                .hasMessage(
                    "Rank 1, peer 0, channel 3: a message of 9 bytes arrived where 8 were"
                        + " expected");
            transport.send(0, 0, 0, ByteBuffer.allocate(0));
          }
          return null;
        });
  }

  @Test
  void shouldRefuseAMessageOfAnotherLabel() {
    int sent = MessageLabel.of(MessageLabel.Kind.ALL_REDUCE, 17);
    int expected = MessageLabel.of(MessageLabel.Kind.HALO_FORWARD, 3);
    LocalRanks.run(
        connect(2, LONG),
        transport -> {
          if (transport.rank() == 0) {
            transport.send(1, 3, sent, number(1));
            transport.send(1, 3, sent, number(2));
            transport.receive(1, 0, 0, ByteBuffer.allocate(0));
          } else {
            ByteBuffer into = ByteBuffer.allocate(Integer.BYTES);
            transport.receive(0, 3, sent, into);
            assertThat(into.getInt(0)).isEqualTo(1);
            assertThatThrownBy(() -> transport.receive(0, 3, expected, into))
                .isInstanceOf(TransportException.class)
                .hasMessage(
                    "Rank 1, peer 0, channel 3: a message of all-reduce 17 arrived where one of"
                        + " halo forward 3 was expected");
            transport.send(0, 0, 0, ByteBuffer.allocate(0));
          }
          return null;
        });
  }

  @Test
  void shouldNameTheLabelOfWhatDidNotArrive() {
    List<Transport> transports = connectedPair(SHORT);
    int label = MessageLabel.of(MessageLabel.Kind.SCAN_CHAIN_BACKWARD, 5);
    assertThatThrownBy(() -> transports.get(0).receive(1, 4, label, ByteBuffer.allocate(8)))
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "Rank 0, peer 1, channel 4, scan-chain backward 5: nothing arrived within 0.3 s");
    transports.forEach(Transport::close);
  }

  @Test
  void shouldGiveUpOnASilentPeerAtTheTimeLimit() {
    CountDownLatch over = new CountDownLatch(1);
    LocalRanks.run(
        connectedPair(SHORT),
        transport -> {
          if (transport.rank() == 1) {
            awaitLatch(over);
            return null;
          }
          assertThatThrownBy(() -> transport.receive(1, 4, 0, ByteBuffer.allocate(8)))
              .isInstanceOf(TransportException.class)
              .hasMessage("Rank 0, peer 1, channel 4: nothing arrived within 0.3 s");
          over.countDown();
          return null;
        });
  }

  @Test
  void shouldGiveUpOnAPeerThatTakesNothing() {
    CountDownLatch over = new CountDownLatch(1);
    LocalRanks.run(
        connectedPair(SHORT),
        transport -> {
          if (transport.rank() == 1) {
            awaitLatch(over);
            return null;
          }
          ByteBuffer large = ByteBuffer.allocateDirect(2 * Transport.WINDOW_BYTES);
          assertThatThrownBy(() -> transport.send(1, 4, 0, large))
              .isInstanceOf(TransportException.class)
              .hasMessage(
                  "Rank 0, peer 1, channel 4: the peer took nothing within 0.3 s; 8388608 bytes"
                      + " are under way");
          over.countDown();
          return null;
        });
  }

  @Test
  void shouldEndAReceiveWhenItsThreadIsInterrupted() {
    List<Transport> transports = connect(2, LONG);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread receiver =
        new Thread(
            () -> {
              try {
                transports.get(0).receive(1, 7, 0, ByteBuffer.allocate(1));
              } catch (TransportException e) {
                failure.set(Thread.currentThread().isInterrupted() ? e : null);
              }
            });
    receiver.start();
    waitUntilBlocked(receiver);
    receiver.interrupt();
    join(receiver);
    transports.forEach(Transport::close);
    assertThat(failure.get()).hasMessage("Rank 0, peer 1, channel 7: interrupted while waiting");
  }

  @Test
  void shouldWakeAReceiverWhenItsPeerIsLost() {
    List<Transport> transports = connect(3, LONG);
    CountDownLatch heard = new CountDownLatch(1);
    Thread closer =
        new Thread(
            () -> {
              transports.get(1).send(0, 0, 0, number(1));
              awaitLatch(heard);
              sleep(200);
              transports.get(1).close();
            });
    closer.start();
    long start = System.nanoTime();
    assertThat(receiveNumber(transports.get(0), 1, 0)).isEqualTo(1);
    heard.countDown();
    assertThatThrownBy(() -> transports.get(0).receive(1, 2, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(TransportException.class)
        .hasMessageStartingWith("Rank 0, peer 1, channel 2: the peer has closed");
    assertThatThrownBy(() -> transports.get(2).receive(1, 2, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(TransportException.class)
        .hasMessageStartingWith("Rank 2, peer 1, channel 2: ");
    assertThatThrownBy(() -> transports.get(0).send(1, 9, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(TransportException.class)
        .hasMessageStartingWith("Rank 0, peer 1, channel 9: ");
    assertThat(System.nanoTime() - start).isLessThan(LONG.toNanos() / 4);
    join(closer);
    transports.forEach(Transport::close);
  }

  @Test
  void shouldStillReceiveWhatAClosedPeerSent() {
    List<Transport> transports = connect(2, LONG);
    ByteBuffer payload = bytes(Transport.WINDOW_BYTES - 100, true);
    transports.get(1).send(0, 0, 0, payload);
    transports.get(1).send(0, 0, 0, number(9));
    transports.get(1).close();
    ByteBuffer into = ByteBuffer.allocateDirect(payload.remaining());
    transports.get(0).receive(1, 0, 0, into);
    assertThat(into).isEqualTo(payload);
    assertThat(receiveNumber(transports.get(0), 1, 0)).isEqualTo(9);
    assertThatThrownBy(() -> transports.get(0).receive(1, 0, 0, into))
        .isInstanceOf(TransportException.class);
    transports.forEach(Transport::close);
  }

  @Test
  void shouldWakeItsOwnWaitersWhenClosed() {
    List<Transport> transports = connect(2, LONG);
    Transport own = transports.get(0);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread receiver =
        new Thread(
            () -> {
              try {
                own.receive(1, 0, 0, ByteBuffer.allocate(1));
              } catch (TransportException e) {
                failure.set(e);
              }
            });
    receiver.start();
    waitUntilBlocked(receiver);
    own.close();
    join(receiver);
    assertThat(failure.get())
        .hasMessage("Rank 0, peer 1, channel 0: this rank's transport is closed");
    assertThatThrownBy(() -> own.send(1, 0, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(TransportException.class);
    transports.forEach(Transport::close);
  }

  @Test
  void shouldKnowNoPeerOutsideTheJob() {
    List<Transport> transports = connect(2, LONG);
    for (int peer : new int[] {-1, 0, 2}) {
      assertThatThrownBy(() -> transports.get(0).send(peer, 0, 0, ByteBuffer.allocate(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Rank 0 of 2 has no peer of number " + peer);
    }
    transports.forEach(Transport::close);
  }

  /**
   * Two ranks that have called each other already: opening a connection may last longer than a
   * short limit on a busy machine, and is then tried anew.
   */
  private List<Transport> connectedPair(Duration timeLimit) {
    while (true) {
      List<Transport> transports = connect(2, timeLimit);
      try {
        for (int rank = 0; rank < 2; rank++) {
          transports.get(rank).send(1 - rank, CALLING, 0, number(rank));
          assertThat(receiveNumber(transports.get(1 - rank), rank, CALLING)).isEqualTo(rank);
        }
        return transports;
      } catch (TransportException late) {
        transports.forEach(Transport::close);
      }
    }
  }

  static ByteBuffer number(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(0, value);
  }

  static int receiveNumber(Transport transport, int peer, int channel) {
    ByteBuffer into = ByteBuffer.allocate(Integer.BYTES);
    transport.receive(peer, channel, 0, into);
    return into.getInt(0);
  }

  static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void join(Thread thread) {
    try {
      thread.join(LONG.toMillis());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    assertThat(thread.isAlive()).isFalse();
  }

  static void sleep(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void waitUntilBlocked(Thread thread) {
    while (thread.isAlive() && thread.getState() != Thread.State.TIMED_WAITING) {
      sleep(1);
    }
  }

  private static ByteBuffer bytes(int length, boolean direct) {
    byte[] random = new byte[length];
    new Random(length).nextBytes(random);
    return allocate(length, direct).put(0, random);
  }

  private static ByteBuffer allocate(int length, boolean direct) {
    return direct ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
  }
}
