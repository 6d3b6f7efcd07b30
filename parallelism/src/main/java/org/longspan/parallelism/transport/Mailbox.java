package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/**
 * Where the messages of one peer on one channel arrive. A message comes in pieces, in order, and is
 * put together in the receiver's own buffer: straight from the piece where the receiver already
 * waits, through a copy kept here where it does not.
 *
 * <p>Who delivers may also {@link #claim} the next part of a waiting receiver's buffer, write
 * there, and say what has {@link #arrived}. Until then the receiver does not return, whatever else
 * ends its wait; so a claim must be short.
 *
 * <p>Threading: one thread at a time delivers, one receives, any may fail it.
 */
final class Mailbox {
  private static final int SPARE_BUFFERS = 32;
  private static final int LEAST_SPARE_BYTES = 64;

  private final Route route;
  private final IntConsumer taken;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition unclaimed = lock.newCondition();
  private final ArrayDeque<Piece> waiting = new ArrayDeque<>();
  private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>(SPARE_BUFFERS);

  private ByteBuffer into;
  private int label;
  private int filled;
  private boolean started;
  private boolean complete;
  private boolean claimed;

  private String remark = "";
  private String failure;
  private long failsAt;

  /**
   * @param taken told, under this mailbox's lock, how many bytes went into a receiver's buffer
   */
  Mailbox(Route route, IntConsumer taken) {
    this.route = route;
    this.taken = taken;
  }

  /**
   * One piece of a message of this label and of {@code messageLength} bytes; its remaining bytes
   * are copied.
   */
  void deliver(int messageLabel, int messageLength, ByteBuffer piece) {
    lock.lock();
    try {
      if (into != null
          && !complete
          && waiting.isEmpty()
          && fits(messageLabel, messageLength, piece)) {
        fill(piece);
        if (complete) {
          changed.signalAll();
        }
      } else {
        waiting.add(new Piece(messageLabel, messageLength, copy(piece)));
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Claims the part of the receiver's buffer where the next bytes of a message of this label and of
   * {@code messageLength} bytes go.
   *
   * @param least bytes for which it is worth while
   * @param most bytes that may come
   * @return from {@code least} to {@code most} bytes; null where no receiver waits for them with a
   *     direct buffer, in which case nothing is claimed
   */
  ByteBuffer claim(int messageLabel, int messageLength, int least, int most) {
    lock.lock();
    try {
      if (!lends(least)
          || messageLabel != label
          || messageLength != into.remaining()
          || most < least
          || most > messageLength - filled) {
        return null;
      }
      claimed = true;
      return into.slice(into.position() + filled, most);
    } finally {
      lock.unlock();
    }
  }

  /** Ends a claim: its first {@code bytes} bytes are there, which may be none. */
  void arrived(int bytes) {
    lock.lock();
    try {
      claimed = false;
      unclaimed.signal();
      if (bytes > 0) {
        took(bytes);
      }
      if (complete) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether the message that a receiver waits for could be claimed if it comes next. */
  boolean wouldLend(int least) {
    lock.lock();
    try {
      return lends(least);
    } finally {
      lock.unlock();
    }
  }

  private boolean lends(int least) {
    return into != null
        && into.isDirect()
        && !into.isReadOnly()
        && waiting.isEmpty()
        && into.remaining() - filled >= least;
  }

  /** Fills the remaining bytes of {@code destination} with the next message. */
  void receive(int expectedLabel, ByteBuffer destination, Deadline deadline) {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw route.labelled(expectedLabel).interrupted(e);
    }
    try {
      if (into != null) {
        throw route.labelled(expectedLabel).failure("two threads receive at once");
      }
      label = expectedLabel;
      receiveAlone(destination, deadline);
    } catch (InterruptedException e) {
      throw route.labelled(expectedLabel).interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  private void receiveAlone(ByteBuffer destination, Deadline deadline) throws InterruptedException {
    into = destination;
    filled = 0;
    started = false;
    complete = false;
    boolean received = false;
    try {
      while (!advance()) {
        changed.awaitNanos(patience(deadline));
      }
      received = true;
    } finally {
      while (claimed) {
        unclaimed.awaitUninterruptibly();
      }
      into = null;
      if (started && !received) {
        fail("an earlier receive ended in the middle of a message", Duration.ZERO);
      }
    }
  }

  /**
   * Ends waits, now and later, with {@code sentence}, {@code grace} from now; what arrives until
   * then can still be received, and what has arrived even later.
   */
  void fail(String sentence, Duration grace) {
    lock.lock();
    try {
      long at = System.nanoTime() + grace.toNanos();
      if (failure == null || at - failsAt < 0) {
        failure = sentence;
        failsAt = at;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Says something more about the peer where nothing arrives. */
  void remark(String sentence) {
    lock.lock();
    try {
      remark = "; " + sentence;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the pieces that wait; true when the message is complete. */
  private boolean advance() {
    while (!complete && !waiting.isEmpty()) {
      Piece piece = waiting.peek();
      if (!fits(piece.messageLabel(), piece.messageLength(), piece.bytes())) {
        throw misfit(piece);
      }
      waiting.remove();
      fill(piece.bytes());
      if (spare.size() < SPARE_BUFFERS) {
        spare.add(piece.bytes());
      }
    }
    return complete;
  }

  /** Nanoseconds that the receiver may wait from now on; throws where there are none. */
  private long patience(Deadline deadline) {
    long left = deadline.left();
    if (failure != null) {
      left = Math.min(left, failsAt - System.nanoTime());
      if (left <= 0) {
        throw route.labelled(label).failure(failure + circumstances());
      }
    } else if (left <= 0) {
      throw route
          .labelled(label)
          .failure(
              filled == 0
                  ? "nothing arrived " + deadline + remark
                  : "only " + filled + " of " + into.remaining() + " bytes arrived " + deadline);
    }
    return left;
  }

  private String circumstances() {
    return filled == 0
        ? remark
        : "; only " + filled + " of " + into.remaining() + " bytes had arrived";
  }

  private boolean fits(int messageLabel, int messageLength, ByteBuffer piece) {
    return messageLabel == label
        && messageLength == into.remaining()
        && piece.remaining() <= messageLength - filled;
  }

  private TransportException misfit(Piece piece) {
    if (piece.messageLabel() != label) {
      return route.failure(
          "a message of "
              + MessageLabel.words(piece.messageLabel())
              + " arrived where one of "
              + MessageLabel.words(label)
              + " was expected");
    }
    if (piece.messageLength() != into.remaining()) {
      return route
          .labelled(label)
          .failure(
              "a message of "
                  + piece.messageLength()
                  + " bytes arrived where "
                  + into.remaining()
                  + " were expected");
    }
    return route
        .labelled(label)
        .failure(
            "a piece of "
                + piece.bytes().remaining()
                + " bytes arrived where "
                + (into.remaining() - filled)
                + " were left of the message");
  }

  private void fill(ByteBuffer piece) {
    int length = piece.remaining();
    into.put(into.position() + filled, piece, piece.position(), length);
    took(length);
  }

  private void took(int bytes) {
    filled += bytes;
    started = true;
    complete = filled == into.remaining();
    taken.accept(bytes);
  }

  private ByteBuffer copy(ByteBuffer piece) {
    int length = piece.remaining();
    ByteBuffer buffer = spare.poll();
    if (buffer == null || buffer.capacity() < length) {
      // Of few sizes, so that most serve again.
      buffer =
          ByteBuffer.allocate(Math.max(LEAST_SPARE_BYTES, Integer.highestOneBit(2 * length - 1)));
    }
    return buffer.clear().put(0, piece, piece.position(), length).limit(length);
  }

  private record Piece(int messageLabel, int messageLength, ByteBuffer bytes) {}
}
