package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A {@link Transport} that works until it is armed and then fails in one way, so that one can see
 * how the other ranks take it.
 *
 * <p>Threading: as {@link Transport}; any thread may arm it.
 */
public final class FaultyTransport implements Transport {
  private final InjectableTransport sound;
  private final Fault fault;
  private final AtomicLong messages = new AtomicLong();
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile long armedAfter = Long.MAX_VALUE;

  /** What goes wrong from the moment on at which the transport is armed. */
  public enum Fault {
    /** The rank's next send or receive closes the transport and throws. */
    DIE,
    /** Nothing is sent any more; connections stay open and messages are taken. */
    STALL,
    /** Each send waits for one and a half time limits before it goes out. */
    SLOW,
    /** Messages are sent one byte longer than they are. */
    WRONG_SHAPE,
    /** Messages are sent with the label of the next number. */
    WRONG_ORDER,
    /** Messages say that they are of another job. */
    WRONG_JOB,
    /** Messages say that they are of another attempt of the job. */
    WRONG_ATTEMPT
  }

  private FaultyTransport(InjectableTransport sound, Fault fault) {
    this.sound = sound;
    this.fault = fault;
  }

  /**
   * A transport that is not armed yet.
   *
   * @param sound what carries the messages, an {@link InProcessTransport} or a {@link
   *     NetworkTransport}
   */
  public static FaultyTransport over(Transport sound, Fault fault) {
    if (sound instanceof InjectableTransport injectable) {
      return new FaultyTransport(injectable, fault);
    }
    throw new IllegalArgumentException(
        "No fault can be injected into a " + sound.getClass().getSimpleName());
  }

  /** Lets the fault happen from the next message on. */
  public void arm() {
    armAfter(0);
  }

  /** Lets the fault happen once this rank has sent and received {@code count} messages. */
  public void armAfter(long count) {
    armedAfter = count;
  }

  @Override
  public int rank() {
    return sound.rank();
  }

  @Override
  public int size() {
    return sound.size();
  }

  @Override
  public void send(int peer, int channel, int label, ByteBuffer payload) {
    if (!isArmed()) {
      sound.send(peer, channel, label, payload);
      return;
    }
    Route route = new Route(rank(), peer, channel, label);
    switch (fault) {
      case DIE -> die(route);
      case STALL -> {}
      case SLOW -> {
        dawdle(route);
        sound.send(peer, channel, label, payload);
      }
      case WRONG_SHAPE -> sound.send(peer, channel, label, longer(payload));
      case WRONG_ORDER -> sound.send(peer, channel, MessageLabel.next(label), payload);
      case WRONG_JOB -> {
        sound.claimAnotherJob();
        sound.send(peer, channel, label, payload);
      }
      case WRONG_ATTEMPT -> {
        sound.claimAnotherAttempt();
        sound.send(peer, channel, label, payload);
      }
    }
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    if (isArmed() && fault == Fault.DIE) {
      die(new Route(rank(), peer, channel, label));
    }
    sound.receive(peer, channel, label, into);
  }

  @Override
  public long receivedBytes() {
    return sound.receivedBytes();
  }

  @Override
  public void close() {
    over.countDown();
    sound.close();
  }

  private boolean isArmed() {
    return messages.getAndIncrement() >= armedAfter;
  }

  private void die(Route route) {
    close();
    throw route.failure("this rank dies, as it was told to");
  }

  private void dawdle(Route route) {
    try {
      if (over.await(sound.timeLimit().toNanos() * 3 / 2, TimeUnit.NANOSECONDS)) {
        throw route.failure("this rank's transport is closed");
      }
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
  }

  private static ByteBuffer longer(ByteBuffer payload) {
    int length = payload.remaining();
    return ByteBuffer.allocate(length + 1).put(0, payload, payload.position(), length);
  }
}
