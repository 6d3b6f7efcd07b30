package org.longspan.jobs;

import java.io.IOException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.driver.plan.ResourcePlan.Device;
import org.longspan.executors.configuration.RunConfiguration;
import picocli.CommandLine.Option;

/** The options that say how large a cluster's executors are, beside the configuration. */
final class ResourceChoice {
  @Option(
      names = "--cores",
      paramLabel = "N",
      description = "Threads of each rank on a cluster; without it spark.executor.cores, or 1.")
  private Integer cores;

  @Option(names = "--gpu", description = "Ask the cluster for a GPU for each rank.")
  private boolean gpu;

  @Option(
      names = "--sequence-length",
      paramLabel = "TOKENS",
      description =
          "The dataset's sequence length, for executors' sizes where the dataset cannot be read"
              + " from here.")
  private Integer sequenceLength;

  /**
   * The plan of a run.
   *
   * @param settings Spark's, as far as they are known
   * @throws InvalidInputException where the dataset's length is neither given nor to be read
   */
  ResourcePlan plan(
      RunConfiguration configuration, Configuration hadoop, Map<String, String> settings)
      throws IOException {
    int threads = cores != null ? cores : threads(settings.get("spark.executor.cores"));
    if (threads < 1) {
      throw new InvalidInputException("--cores is " + threads + ", and a rank needs at least 1.");
    }
    Device device = gpu ? Device.GPU : Device.PROCESSOR;
    if (sequenceLength != null) {
      if (sequenceLength < 1) {
        throw new InvalidInputException(
            "--sequence-length is " + sequenceLength + ", and a sequence has at least 1 token.");
      }
      return ResourcePlan.of(
          configuration, new ByteTokenizer().vocabulary(), sequenceLength, threads, device);
    }
    Manifest manifest = Dataset.open(hadoop, TrainingRun.dataPath(configuration)).manifest();
    return ResourcePlan.of(
        configuration, manifest.vocabulary(), manifest.sequenceLength(), threads, device);
  }

  private static int threads(String setting) {
    try {
      return setting == null ? 1 : Integer.parseInt(setting.strip());
    } catch (NumberFormatException notANumber) {
      throw new InvalidInputException(
          "spark.executor.cores is '" + setting + "', which is no whole number.", notANumber);
    }
  }
}
