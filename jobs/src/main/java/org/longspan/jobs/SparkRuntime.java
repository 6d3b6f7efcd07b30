package org.longspan.jobs;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.driver.launch.EmbeddedCluster;
import org.longspan.driver.launch.EmbeddedSpark;
import org.longspan.driver.launch.SparkSettings;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.driver.plan.ResourcePlan;

/**
 * The Spark that a command runs on: the one that {@code spark-submit} or {@code --master} names, or
 * else an embedded one with an executor for each rank.
 */
final class SparkRuntime implements AutoCloseable {
  private static final String MASTER = "spark.master";

  /** Set where {@code spark-submit} was told no master, and takes this process alone as one. */
  private static final String OWN_EXECUTORS = "LONGSPAN_OWN_EXECUTORS";

  private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*(\\d+)\\s*,\\s*(\\d+)\\s*,\\s*(\\d+)\\s*]");

  /** An embedded Spark may have more executors than the machine has processors, but not many. */
  private static final int EXECUTORS_ANYWHERE = 4;

  private final SparkSession session;
  private final AutoCloseable owner;

  private SparkRuntime(SparkSession session, AutoCloseable owner) {
    this.session = session;
    this.owner = owner;
  }

  /** Starts one for work that takes whatever there is. */
  static SparkRuntime start(String command, String master) {
    return start(command, master, Math.min(processors(), EXECUTORS_ANYWHERE));
  }

  /** Starts one for ranks that wait for each other as long as they usually do. */
  static SparkRuntime start(String command, String master, int ranks) {
    return start(command, master, ranks, LaunchPlan.DEFAULT_TIME_LIMIT);
  }

  /**
   * Starts one, or takes the installed one.
   *
   * @param master null where the user named none
   * @param ranks that will run at the same time
   * @param timeLimit how long a rank waits for another
   */
  static SparkRuntime start(String command, String master, int ranks, Duration timeLimit) {
    return start(command, master, ranks, Map.of(), timeLimit);
  }

  /**
   * Likewise, and a cluster's executors are as large as the plan says where nobody says otherwise.
   */
  static SparkRuntime start(String command, String master, ResourcePlan plan, Duration timeLimit) {
    return start(command, master, plan.ranks(), plan.settings(), timeLimit);
  }

  private static SparkRuntime start(
      String command, String master, int ranks, Map<String, String> sizes, Duration timeLimit) {
    String name = "Longspan " + command;
    SparkConf conf = new SparkConf();
    String submitted = System.getenv(OWN_EXECUTORS) == null ? conf.get(MASTER, null) : null;
    String chosen = master != null ? master : submitted;
    if (chosen == null) {
      return embedded(name, cluster(ranks), timeLimit);
    }
    Matcher cluster = LOCAL_CLUSTER.matcher(chosen.strip());
    if (cluster.matches()) {
      return embedded(
          name,
          EmbeddedCluster.of(Integer.parseInt(cluster.group(1)))
              .withCores(Integer.parseInt(cluster.group(2)))
              .withHeap(Integer.parseInt(cluster.group(3))),
          timeLimit);
    }
    if (!chosen.startsWith("local")) {
      sizes.forEach(conf::setIfMissing);
      SparkSettings.ofMaster(chosen).forEach(conf::setIfMissing);
    }
    SparkSession session =
        SparkSession.builder()
            .config(
                SparkSettings.apply(
                    conf.setMaster(chosen)
                        .setAppName(name)
                        .setIfMissing("spark.ui.showConsoleProgress", "false")
                        .setIfMissing(
                            EXECUTOR_OPTIONS,
                            "-XX:+IgnoreUnrecognizedVMOptions -XX:+UseShenandoahGC"),
                    timeLimit))
            .getOrCreate();
    return new SparkRuntime(session, session::stop);
  }

  /** The Hadoop settings that Spark will have, for checks before it is started. */
  static Configuration hadoopBeforeStart() {
    return System.getProperty(MASTER) == null
        ? new Configuration()
        : SparkHadoopUtil.get().newConfiguration(new SparkConf());
  }

  /** What spark-submit was told, before Spark is started. */
  static Map<String, String> settingsBeforeStart() {
    return Arrays.stream(new SparkConf().getAll())
        .collect(Collectors.toMap(setting -> setting._1(), setting -> setting._2()));
  }

  /** The path with its scheme and from the root on: executors work in folders of their own. */
  static String qualified(Configuration hadoop, String path) {
    return Location.of(hadoop, path).path().toString();
  }

  SparkSession session() {
    return session;
  }

  JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  Configuration hadoop() {
    return session.sparkContext().hadoopConfiguration();
  }

  /** Where so many ranks run, in a few words. */
  String place(int ranks) {
    if (owner instanceof EmbeddedSpark) {
      return counted(ranks, "executor") + " on this machine";
    }
    String master = session.sparkContext().master();
    return session.sparkContext().isLocal()
        ? counted(ranks, "rank")
            + " in this process: master "
            + master
            + " has no executors; name a cluster with --master"
        : counted(ranks, "rank") + " on " + master;
  }

  private static String counted(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }

  @Override
  public void close() {
    if (Interruption.underWay()) {
      return;
    }
    try {
      owner.close();
    } catch (Exception e) {
      throw new IllegalStateException("Spark did not stop", e);
    }
  }

  private static SparkRuntime embedded(String name, EmbeddedCluster cluster, Duration timeLimit) {
    EmbeddedSpark spark = EmbeddedSpark.start(name, cluster, Map.of(), timeLimit);
    return new SparkRuntime(spark.session(), spark);
  }

  private static EmbeddedCluster cluster(int ranks) {
    int most = Math.max(EXECUTORS_ANYWHERE, processors());
    if (ranks > most) {
      throw new InvalidInputException(
          "The mesh has "
              + ranks
              + " ranks, and the embedded Spark has slots for "
              + most
              + " on this machine of "
              + processors()
              + " processors; lower mesh.data, mesh.sequence or mesh.tensor, or name a cluster with --master.");
    }
    return EmbeddedCluster.of(ranks).withCores(Math.max(1, processors() / ranks));
  }

  private static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }
}
