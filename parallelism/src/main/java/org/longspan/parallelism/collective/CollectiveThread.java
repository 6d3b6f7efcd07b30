package org.longspan.parallelism.collective;

import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.longspan.parallelism.transport.TransportException;

/**
 * Runs a communicator's collectives one after the other, in the order in which they were called: on
 * a thread of its own, which starts when it is first needed, or on the caller's where nothing is
 * under way.
 *
 * <p>Threading: one thread calls, any may close.
 */
final class CollectiveThread implements AutoCloseable {
  private final PeerMessages messages;
  private final int channel;
  private ExecutorService executor;
  private Future<?> last;
  private volatile Throwable failure;
  private volatile boolean closed;

  CollectiveThread(PeerMessages messages, int channel) {
    this.messages = messages;
    this.channel = channel;
  }

  Pending submit(Collective collective) {
    checkUsable();
    Future<?> future = enqueue(() -> guarded(collective));
    last = future;
    return () -> await(future, collective);
  }

  void runInOrder(Collective collective) {
    if (last != null && !last.isDone()) {
      submit(collective).await();
      return;
    }
    checkUsable();
    guarded(collective);
  }

  /** Interrupts what is under way and waits until the thread has let go of every buffer. */
  @Override
  public void close() {
    ExecutorService running = stop();
    if (running == null) {
      return;
    }
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = running.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized ExecutorService stop() {
    closed = true;
    if (executor != null) {
      for (Runnable waiting : executor.shutdownNow()) {
        if (waiting instanceof Future<?> collective) {
          collective.cancel(false);
        }
      }
    }
    return executor;
  }

  private synchronized Future<?> enqueue(Runnable collective) {
    if (executor == null) {
      executor =
          Executors.newSingleThreadExecutor(
              work -> {
                Thread thread =
                    new Thread(
                        work, "longspan-collective-" + messages.rank() + "-channel-" + channel);
                thread.setDaemon(true);
                return thread;
              });
    }
    try {
      return executor.submit(collective);
    } catch (RejectedExecutionException e) {
      throw failed("is closed", e);
    }
  }

  private void guarded(Collective collective) {
    checkUsable();
    try {
      collective.run(messages);
    } catch (RuntimeException | Error e) {
      failure = e;
      throw e;
    }
  }

  private void await(Future<?> future, Collective collective) {
    try {
      future.get();
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw failed("was interrupted in " + collective, e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw cause instanceof TransportException
          ? new TransportException(cause.getMessage(), cause)
          : failed("failed in " + collective + ": " + cause, cause);
    } catch (CancellationException e) {
      throw failed("is closed", e);
    }
  }

  private void checkUsable() {
    if (closed) {
      throw failed("is closed", null);
    }
    if (failure != null) {
      throw failed("failed in an earlier collective: " + failure.getMessage(), failure);
    }
  }

  private TransportException failed(String what, Throwable cause) {
    return new TransportException(
        "The communicator of rank " + messages.rank() + " on channel " + channel + " " + what,
        cause);
  }
}
