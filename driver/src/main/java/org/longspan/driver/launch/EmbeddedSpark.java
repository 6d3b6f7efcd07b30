package org.longspan.driver.launch;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.SparkSession;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A Spark of its own on this machine, with real executor JVMs, from the class path of this JVM; for
 * where no Spark is installed.
 */
public final class EmbeddedSpark implements AutoCloseable {
  /**
   * Environment variables that this JVM has to be started with, and that the executors inherit:
   * {@code SPARK_TESTING=1}, {@code SPARK_SCALA_VERSION=2.13} and {@code SPARK_HOME}, a folder,
   * perhaps an empty one.
   */
  public static final List<String> ENVIRONMENT =
      List.of("SPARK_TESTING", "SPARK_SCALA_VERSION", "SPARK_HOME");

  private static final int JVM_MEGABYTES = 1024;

  private final SparkSession session;

  private EmbeddedSpark(SparkSession session) {
    this.session = session;
  }

  /**
   * Starts it.
   *
   * @param settings Spark's, which go before ours
   * @param timeLimit how long a rank waits for another
   * @throws InvalidInputException where an environment variable is missing
   */
  public static EmbeddedSpark start(
      String name, EmbeddedCluster cluster, Map<String, String> settings, Duration timeLimit) {
    checkEnvironment(System.getenv());
    createFolder(Path.of(System.getenv("SPARK_HOME")));
    SparkConf conf = configuration(name, cluster, settings, timeLimit);
    return new EmbeddedSpark(SparkSession.builder().config(conf).getOrCreate());
  }

  public SparkSession session() {
    return session;
  }

  public JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  /** Ends the executors. Spark deletes their working folders when this JVM ends. */
  @Override
  public void close() {
    session.stop();
  }

  static void checkEnvironment(Map<String, String> environment) {
    List<String> missing =
        ENVIRONMENT.stream().filter(name -> !environment.containsKey(name)).toList();
    if (!missing.isEmpty()) {
      throw new InvalidInputException(
          "An embedded Spark needs the environment variables SPARK_TESTING=1,"
              + " SPARK_SCALA_VERSION=2.13 and SPARK_HOME=<a folder> before Java starts, and "
              + String.join(", ", missing)
              + (missing.size() == 1 ? " is" : " are")
              + " missing; bin/longspan sets them.");
    }
  }

  private static SparkConf configuration(
      String name, EmbeddedCluster cluster, Map<String, String> settings, Duration timeLimit) {
    SparkConf conf = new SparkConf();
    settings.forEach(conf::set);
    conf.setMaster(cluster.master()).setAppName(name);
    conf.setIfMissing("spark.executor.memory", cluster.heapMegabytes() + "m");
    conf.setIfMissing("spark.executor.cores", Integer.toString(cluster.cores()));
    conf.setIfMissing("spark.task.cpus", Integer.toString(cluster.cores()));
    // Spark then knows how many executors it waits for.
    conf.setIfMissing("spark.cores.max", Integer.toString(cluster.executors() * cluster.cores()));
    conf.setIfMissing("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s");
    conf.setIfMissing("spark.executor.extraClassPath", System.getProperty("java.class.path"));
    conf.setIfMissing("spark.executor.extraJavaOptions", javaOptions(cluster));
    // The threads are ours, not the library's.
    conf.setIfMissing("spark.executorEnv.OPENBLAS_NUM_THREADS", "1");
    conf.setIfMissing("spark.executorEnv.OMP_NUM_THREADS", "1");
    closeToStrangers(conf);
    conf.setIfMissing("spark.ui.enabled", "false");
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    return SparkSettings.apply(conf, timeLimit);
  }

  /** Tasks carry the secret of a run, and Spark hands them to whoever asks unless it is told so. */
  private static void closeToStrangers(SparkConf conf) {
    conf.setIfMissing(SparkSettings.AUTHENTICATE, "true");
    if (SparkSettings.authenticates(conf)) {
      conf.setIfMissing("spark.authenticate.secret", RandomSecret.text());
      conf.setIfMissing("spark.network.crypto.enabled", "true");
      conf.setIfMissing("spark.network.crypto.cipher", "AES/GCM/NoPadding");
      conf.setIfMissing("spark.network.crypto.authEngineVersion", "2");
      conf.setIfMissing("spark.network.crypto.saslFallback", "false");
    }
  }

  private static String javaOptions(EmbeddedCluster cluster) {
    int offHeap = cluster.offHeapMegabytes();
    return String.join(
        " ",
        JavaModuleOptions.defaultModuleOptions(),
        collector(),
        "-XX:MaxDirectMemorySize=" + offHeap + "m",
        "-Dorg.bytedeco.javacpp.maxbytes=" + offHeap + "m",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes="
            + (cluster.heapMegabytes() + offHeap + JVM_MEGABYTES)
            + "m");
  }

  /** A collector that lets other threads allocate while a device reads a Java array. */
  private static String collector() {
    try {
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .getVMOption("UseShenandoahGC");
      return "-XX:+UseShenandoahGC";
    } catch (IllegalArgumentException notInThisJava) {
      return "-XX:+UseG1GC";
    }
  }

  private static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException refused) {
      throw new InvalidInputException(
          "SPARK_HOME " + folder + " cannot be made a folder.", refused);
    }
  }
}
