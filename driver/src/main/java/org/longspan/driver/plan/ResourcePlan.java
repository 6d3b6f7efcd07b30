package org.longspan.driver.plan;

import java.util.LinkedHashMap;
import java.util.Map;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankMemory;

/**
 * What a run asks of a cluster: one executor for each rank, and how large it is. Worked out from
 * the model and the mesh, and the same whichever way a run is started.
 *
 * @param ranks executors
 * @param cores threads of each
 * @param device whether each has a GPU
 * @param heapMebibytes of Java objects
 * @param offHeapMebibytes the most that matrices and messages may take beside the heap
 * @param overheadMebibytes the container's room beside the heap: the same, and what a JVM takes for
 *     itself
 */
public record ResourcePlan(
    int ranks,
    int cores,
    Device device,
    long heapMebibytes,
    long offHeapMebibytes,
    long overheadMebibytes) {

  /** What an executor computes attention on. */
  public enum Device {
    PROCESSOR,
    GPU
  }

  /** Java objects of an executor whatever the model is: Spark's own above all. */
  private static final long BASE_HEAP = 1024;

  /** Code, classes, stacks, the collector's tables, mapped libraries. */
  private static final long JVM = 640;

  /** Netty's buffers, and those that checkpoints and Parquet pass through. */
  private static final long BUFFERS = 256;

  /** What allocators lose between blocks, on top of what was asked for. */
  private static final double LOSS = 0.1;

  /** Tokens, targets and documents of a slice, read and being read. */
  private static final long HEAP_BYTES_OF_A_TOKEN = 128;

  /**
   * Rows of q, k, v, gates and outputs that a device's kernels stage in the heap, and gradients.
   */
  private static final long STAGED_NUMBERS_OF_A_COLUMN = 20;

  private static final int STEP = 64;

  public ResourcePlan {
    if (ranks < 1 || cores < 1) {
      throw new IllegalArgumentException(ranks + " executors of " + cores + " cores");
    }
  }

  /**
   * The plan of a training run.
   *
   * @param vocabulary of the dataset
   * @param sequenceLength tokens in the dataset's sequences
   * @param cores threads of each rank
   */
  public static ResourcePlan of(
      RunConfiguration configuration,
      int vocabulary,
      int sequenceLength,
      int cores,
      Device device) {
    ModelShape shape = ModelShape.of(configuration, vocabulary);
    int sequence = configuration.get(Options.MESH_SEQUENCE);
    int ranks =
        configuration.get(Options.MESH_DATA) * sequence * configuration.get(Options.MESH_TENSOR);
    RankMemory memory = RankMemory.of(configuration, shape, sequenceLength, cores);
    long tokens = sequenceLength / sequence + 1L;
    long staged =
        switch (device) {
          case PROCESSOR -> 0;
          case GPU -> tokens * shape.width() * STAGED_NUMBERS_OF_A_COLUMN * Float.BYTES;
        };
    long heap = rounded(BASE_HEAP + mebibytes(tokens * HEAP_BYTES_OF_A_TOKEN + staged));
    long offHeap = rounded(BUFFERS + mebibytes((long) (memory.bytes() * (1 + LOSS))));
    return new ResourcePlan(ranks, cores, device, heap, offHeap, rounded(offHeap + JVM));
  }

  /** Memory of an executor's container. */
  public long containerMebibytes() {
    return heapMebibytes + overheadMebibytes;
  }

  /** Spark's settings that say so, in the order in which they are read best. */
  public Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("spark.executor.instances", Integer.toString(ranks));
    settings.put("spark.cores.max", Integer.toString(ranks * cores));
    settings.put("spark.executor.cores", Integer.toString(cores));
    settings.put("spark.task.cpus", Integer.toString(cores));
    settings.put("spark.executor.memory", heapMebibytes + "m");
    settings.put("spark.executor.memoryOverhead", overheadMebibytes + "m");
    settings.put("spark.executor.extraJavaOptions", javaOptions());
    // The threads are ours, not the library's.
    settings.put("spark.executorEnv.OPENBLAS_NUM_THREADS", "1");
    settings.put("spark.executorEnv.OMP_NUM_THREADS", "1");
    if (device == Device.GPU) {
      settings.put("spark.executor.resource.gpu.amount", "1");
      settings.put("spark.task.resource.gpu.amount", "1");
      settings.put("spark.resources.discoveryPlugin", "org.longspan.driver.launch.OpenClDiscovery");
    }
    return settings;
  }

  /**
   * Of an executor's JVM: a collector that lets other threads allocate while a device reads a Java
   * array, and limits at which a matrix that does not fit is named before the container is killed.
   */
  public String javaOptions() {
    return String.join(
        " ",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-XX:+UseShenandoahGC",
        "-XX:MaxDirectMemorySize=" + offHeapMebibytes + "m",
        "-Dorg.bytedeco.javacpp.maxbytes=" + offHeapMebibytes + "m",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=" + containerMebibytes() + "m");
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  private static long rounded(long mebibytes) {
    return (mebibytes + STEP - 1) / STEP * STEP;
  }
}
