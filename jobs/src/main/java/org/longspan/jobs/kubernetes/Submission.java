package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A run that goes to a cluster: its resources are created, its state and log followed to its end.
 *
 * <p>Threading: one thread, and {@link #cancel} from any.
 */
public final class Submission {
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** How long the server may be away before the run is given up on; the run itself goes on. */
  private static final Duration PATIENCE = Duration.ofSeconds(25);

  /** After how long without a word from an operator there may be none. */
  private static final Duration UNTAKEN = Duration.ofSeconds(30);

  private static final int LINES_OF_A_FAILURE = 20;

  private final KubernetesCluster cluster;
  private final KubernetesRun run;
  private final List<Map<String, Object>> manifests;
  private final Consumer<String> news;
  private final DriverLog log;
  private final Duration untaken;
  private final Deque<Map<String, Object>> created = new ArrayDeque<>();
  private boolean submitted;
  private String phase = "";

  /**
   * @param news hears a sentence whenever the run's state changes
   * @param log gets the driver's output
   */
  public Submission(
      KubernetesCluster cluster, KubernetesRun run, Consumer<String> news, OutputStream log) {
    this(cluster, run, news, log, UNTAKEN);
  }

  Submission(
      KubernetesCluster cluster,
      KubernetesRun run,
      Consumer<String> news,
      OutputStream log,
      Duration untaken) {
    this.cluster = cluster;
    this.run = run;
    this.manifests = RunManifests.of(run);
    this.news = news;
    this.log = new DriverLog(cluster, news, log);
    this.untaken = untaken;
  }

  /** Creates everything, or nothing. */
  public synchronized void create() {
    try {
      for (Map<String, Object> manifest : manifests) {
        cluster.create(manifest);
        created.push(manifest);
      }
    } catch (RuntimeException refused) {
      cancel();
      throw refused;
    }
    submitted = true;
    news.accept(
        String.format(
            "Created %s %s in the namespace %s",
            run.operator().apiVersion(), run.name(), run.namespace()));
  }

  /**
   * Follows it to its end.
   *
   * @throws RunFailure where it failed, was deleted by somebody, or cannot start; what was created
   *     is deleted then
   */
  public void await() throws InterruptedException {
    long start = System.nanoTime();
    try {
      boolean done = false;
      while (!done) {
        done = look(System.nanoTime() - start > untaken.toNanos());
        if (!done) {
          Thread.sleep(PAUSE.toMillis());
        }
      }
    } catch (RunFailure failed) {
      cleanUp();
      throw failed;
    } finally {
      log.close();
    }
  }

  /** Cancels; what cannot be deleted is told, for the failure is what ends the command. */
  private void cleanUp() {
    try {
      cancel();
    } catch (UnreachableException | InvalidInputException left) {
      news.accept(
          "What was created of " + run.name() + " could not be deleted: " + left.getMessage());
    }
  }

  /** Deletes what was created, and with it whatever the operator made of it. */
  public synchronized void cancel() {
    while (!created.isEmpty()) {
      cluster.delete(created.peek());
      created.pop();
    }
    if (submitted) {
      submitted = false;
      // Some operators give the driver's pod no owner, and it would go on; ranks go with it.
      driver(cluster.pods(run))
          .filter(pod -> pod.getMetadata().getOwnerReferences().isEmpty())
          .ifPresent(cluster::delete);
    }
  }

  /**
   * @param late whether an operator has had time enough to say something of the run
   */
  private boolean look(boolean late) throws InterruptedException {
    GenericKubernetesResource resource =
        patiently(() -> cluster.find(application()))
            .orElseThrow(
                () ->
                    new RunFailure(
                        String.format(
                            "The run %s was deleted from the cluster by somebody before it ended.",
                            run.name())));
    List<Pod> pods = patiently(() -> cluster.pods(run));
    driver(pods).ifPresent(log::follow);
    Map<?, ?> status = (Map<?, ?>) resource.getAdditionalProperties().get("status");
    RunState state = RunState.of(run.operator(), status);
    if (state instanceof RunState.Succeeded) {
      log.finish();
      tell("The run " + run.name() + " succeeded");
      return true;
    }
    if (state instanceof RunState.Failed failed) {
      throw failure(failed, pods);
    }
    for (Pod pod : pods) {
      Optional<String> trouble = PodTrouble.of(pod);
      if (trouble.isPresent()) {
        throw new RunFailure(trouble.get());
      }
    }
    if (status == null && late) {
      tell(
          String.format(
              "The run %s waits: no operator has taken it up yet; is the one for %s at work, and does"
                  + " it see to the namespace %s?",
              run.name(), run.operator().apiVersion(), run.namespace()));
    } else {
      tell(
          state instanceof RunState.Waiting waiting
              ? "The run " + run.name() + " waits: " + waiting.phase()
              : "The run " + run.name() + " is at work");
    }
    return false;
  }

  private RunFailure failure(RunState.Failed failed, List<Pod> pods) throws InterruptedException {
    log.finish();
    Optional<String> trouble =
        pods.stream().map(PodTrouble::of).flatMap(Optional::stream).findFirst();
    if (trouble.isPresent()) {
      return new RunFailure(trouble.get());
    }
    String said =
        driver(pods)
            .map(pod -> lastSentence(cluster.end(pod, LINES_OF_A_FAILURE)))
            .filter(line -> !line.isEmpty())
            .orElse(OperatorMessage.sentence(failed.reason()));
    return new RunFailure(
        String.format(
            "The run %s failed on the cluster (%s)%s",
            run.name(), failed.phase(), said.isEmpty() ? "." : ": " + said));
  }

  /** What our own program said last, where it said why it ended. */
  private static String lastSentence(String log) {
    return log.lines()
        .filter(line -> line.startsWith("longspan train"))
        .reduce((first, second) -> second)
        .orElse("");
  }

  private static Optional<Pod> driver(List<Pod> pods) {
    return pods.stream()
        .filter(pod -> "driver".equals(pod.getMetadata().getLabels().get(PodTemplate.PART)))
        .findFirst();
  }

  private Map<String, Object> application() {
    return manifests.get(manifests.size() - 1);
  }

  private void tell(String sentence) {
    if (!sentence.equals(phase)) {
      phase = sentence;
      news.accept(sentence);
    }
  }

  private interface Question<T> {
    T ask();
  }

  /** A server that restarts is away for some seconds, and the run does not mind. */
  private static <T> T patiently(Question<T> question) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return question.ask();
      } catch (UnreachableException away) {
        if (System.nanoTime() > deadline) {
          throw away;
        }
        Thread.sleep(PAUSE.toMillis());
      }
    }
  }
}
