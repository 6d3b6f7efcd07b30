package org.longspan.executors.bench.process;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Runs ranks as processes of this machine, connected by a network transport each. */
public final class ProcessRanks {
  private static final Duration AS_LONG_AS_IT_TAKES = Duration.ofNanos(Long.MAX_VALUE / 2);

  private ProcessRanks() {}

  /**
   * Runs {@code body} in {@code settings.ranks()} JVMs with the class path and options of this one,
   * and gives the lines of each rank, in the order of the ranks. No process is left when this
   * returns, nor when this process ends, however it does; what the processes write to standard
   * error goes to this one's.
   *
   * @param arguments of the body; anybody on the machine can read them
   * @throws RankProcessException that names the rank which failed first and what it said, or the
   *     first that was not ready within the time limit; the others are ended then, and also where
   *     the calling thread is interrupted
   */
  public static List<List<String>> run(
      Class<? extends RankBody> body, List<String> arguments, ProcessSettings settings) {
    List<RankChild> children = new ArrayList<>();
    ExecutorService readers = Executors.newFixedThreadPool(settings.ranks(), ProcessRanks::daemon);
    try {
      for (int rank = 0; rank < settings.ranks(); rank++) {
        children.add(RankChild.start(rank, body, arguments, settings));
      }
      String secret = new BigInteger(256, new SecureRandom()).toString(Character.MAX_RADIX);
      children.forEach(child -> child.tellSecret(secret));
      List<Integer> ports = ofEach(children, readers, RankChild::port, settings.timeLimit());
      children.forEach(child -> child.tellPorts(ports));
      return ofEach(children, readers, RankChild::results, AS_LONG_AS_IT_TAKES);
    } finally {
      children.forEach(RankChild::end);
      children.forEach(RankChild::awaitEnd);
      readers.shutdownNow();
    }
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "longspan-rank-reader");
    thread.setDaemon(true);
    return thread;
  }

  /** Asks all at once, and fails with the first that does, or that has not answered in time. */
  private static <T> List<T> ofEach(
      List<RankChild> children,
      ExecutorService readers,
      Function<RankChild, T> question,
      Duration limit) {
    CompletionService<T> answers = new ExecutorCompletionService<>(readers);
    List<Future<T>> asked = new ArrayList<>();
    for (RankChild child : children) {
      asked.add(answers.submit(() -> question.apply(child)));
    }
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      int answered = 0;
      while (answered < asked.size()) {
        Future<T> answer = answers.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (answer == null) {
          requireAnswers(children, asked, limit);
        } else {
          answer.get();
          answered++;
        }
      }
      List<T> all = new ArrayList<>();
      for (Future<T> answer : asked) {
        all.add(answer.get());
      }
      return all;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RankProcessException known) {
        throw known;
      }
      throw new RankProcessException("Reading a rank's process failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RankProcessException("Interrupted while the ranks were working", e);
    }
  }

  private static <T> void requireAnswers(
      List<RankChild> children, List<Future<T>> asked, Duration limit) {
    for (int rank = 0; rank < asked.size(); rank++) {
      if (!asked.get(rank).isDone()) {
        throw children.get(rank).silence(limit);
      }
    }
  }
}
