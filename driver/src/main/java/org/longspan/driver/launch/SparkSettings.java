package org.longspan.driver.launch;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.longspan.executors.opencl.JavaSignals;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What Spark has to be told before it starts, so that ranks run and recover well on it. */
public final class SparkSettings {
  static final String PLUGINS = "spark.plugins";
  static final String AUTHENTICATE = "spark.authenticate";

  private static final Logger LOG = LoggerFactory.getLogger(SparkSettings.class);

  private static final String RENDEZVOUS_LIMIT = "spark.barrier.sync.timeout";

  /** Ranks that are to meet have just been started, perhaps in a JVM that is new. */
  private static final Duration LEAST_RENDEZVOUS_LIMIT = Duration.ofSeconds(30);

  private static final String EXECUTORS = "spark.executor.instances";
  private static final String REGISTRATION_LIMIT =
      "spark.scheduler.maxRegisteredResourcesWaitingTime";

  private static final String REGISTRATION_PATIENCE = "300s";

  private static final String PRELOADED = "spark.executorEnv.LD_PRELOAD";

  private static final Map<String, String> SETTINGS = settings();

  private SparkSettings() {}

  /**
   * Sets what the user has not set already, and adds our plugin to the user's. Warns of a Spark
   * that lets everybody in.
   *
   * @param timeLimit how long a rank waits for a message of another; at the start of an attempt it
   *     waits as long for the others to come, but no less than half a minute
   * @return {@code conf} itself
   */
  public static SparkConf apply(SparkConf conf, Duration timeLimit) {
    if (!authenticates(conf)) {
      LOG.warn(
          "{} is off: whoever reaches Spark's ports can read the tasks, and with them the secret"
              + " that protects the ranks' connections; set it and spark.network.crypto.enabled to"
              + " true.",
          AUTHENTICATE);
    }
    SETTINGS.forEach(conf::setIfMissing);
    // A year is Spark's own limit for a rank that never comes.
    conf.setIfMissing(RENDEZVOUS_LIMIT, rendezvousSeconds(timeLimit) + "s");
    if (conf.contains(EXECUTORS)) {
      // A number that was asked for is worth waiting for: images are pulled, nodes are started.
      conf.setIfMissing(REGISTRATION_LIMIT, REGISTRATION_PATIENCE);
    }
    return conf.set(PLUGINS, withOurs(conf.get(PLUGINS, "")));
  }

  /** Whole seconds, since Spark knows no parts of them here. */
  private static long rendezvousSeconds(Duration timeLimit) {
    long wholeSeconds = timeLimit.plusSeconds(1).minusNanos(1).toSeconds();
    return Math.max(LEAST_RENDEZVOUS_LIMIT.toSeconds(), wholeSeconds);
  }

  /**
   * What {@link #apply} sets, for a command line or a manifest that shows all of it; but how long
   * ranks wait for each other the driver learns from the run's configuration.
   */
  public static Map<String, String> all() {
    Map<String, String> all = new LinkedHashMap<>(SETTINGS);
    all.put(REGISTRATION_LIMIT, REGISTRATION_PATIENCE);
    all.put(PLUGINS, EventPlugin.class.getName());
    return all;
  }

  /** What goes before {@link #all} on a kind of master. */
  public static Map<String, String> ofMaster(String master) {
    if (!master.startsWith("spark:")) {
      return Map.of();
    }
    Map<String, String> settings = new LinkedHashMap<>();
    // A standalone cluster's workers are there or are not: nothing is pulled or started for a run.
    settings.put(REGISTRATION_LIMIT, "20s");
    // Its workers start Java themselves; elsewhere an image or a shell stands between.
    settings.put(PRELOADED, JavaSignals.BESIDE_JAVA);
    return settings;
  }

  static boolean authenticates(SparkConf conf) {
    return conf.getBoolean(AUTHENTICATE, false);
  }

  private static Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    // Ten minutes is Spark's own time to say that there are too few slots.
    settings.put("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s");
    settings.put("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "5");
    // Spark counts a stage's failures over its whole life; ours are counted since the last
    // progress.
    settings.put("spark.stage.maxConsecutiveAttempts", "10000");
    settings.put("spark.dynamicAllocation.enabled", "false");
    settings.put("spark.scheduler.minRegisteredResourcesRatio", "1.0");
    settings.put("spark.kryo.registrationRequired", "false");
    return settings;
  }

  private static String withOurs(String plugins) {
    String ours = EventPlugin.class.getName();
    if (Arrays.asList(plugins.split(",")).contains(ours)) {
      return plugins;
    }
    return plugins.isEmpty() ? ours : plugins + "," + ours;
  }
}
