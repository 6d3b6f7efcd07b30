package org.longspan.jobs.kubernetes;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.driver.plan.ResourcePlan.Device;
import org.longspan.executors.configuration.RunConfiguration;

/** Runs as users submit them. */
final class Runs {
  private static final String CONFIGURATION =
      """
      model: {width: 512, heads: 8, layers: 8, pattern: [lightning, lightning, lightning, local], window: 512}
      mesh: {sequence: 4}
      train: {steps: 1000, checkpoint-every: 100}
      """;

  private static final int SEQUENCE_LENGTH = 131_072;
  private static final int VOCABULARY = 258;
  private static final int CORES = 4;

  private Runs() {}

  /** What an overlay shows; all but one keep data and checkpoints on a volume. */
  enum Variant {
    CPU,
    GPU,
    YUNIKORN,
    VOLCANO,
    PROMETHEUS,
    S3;

    private boolean inAStore() {
      return this == S3;
    }
  }

  static KubernetesRun run(Operator operator, Variant variant) {
    return run("first", operator, variant);
  }

  /** On processors, under another name. */
  static KubernetesRun named(String name, Operator operator) {
    return run(name, operator, Variant.CPU);
  }

  private static KubernetesRun run(String name, Operator operator, Variant variant) {
    boolean store = variant.inAStore();
    String root = store ? "s3a://longspan" : "/data";
    RunConfiguration configuration =
        RunConfiguration.parse(CONFIGURATION, "the example", Map.of("data.path", root + "/corpus"));
    boolean gpu = variant == Variant.GPU;
    return new KubernetesRun(
        name,
        "longspan",
        operator,
        gpu ? "longspan:nvidia" : store ? "longspan:s3" : "longspan:latest",
        "4.1.3",
        "longspan-driver",
        configuration.toYaml(),
        List.of("--output", root + "/runs/first"),
        ResourcePlan.of(
            configuration, VOCABULARY, SEQUENCE_LENGTH, CORES, gpu ? Device.GPU : Device.PROCESSOR),
        store ? Optional.empty() : Optional.of("longspan-data"),
        store ? Optional.of("longspan-store") : Optional.empty(),
        variant == Variant.YUNIKORN
            ? Gang.YUNIKORN
            : variant == Variant.VOLCANO ? Gang.VOLCANO : Gang.NONE,
        variant == Variant.YUNIKORN ? Optional.of("root.training") : Optional.empty(),
        variant == Variant.PROMETHEUS,
        store
            ? Map.of(
                "spark.hadoop.fs.s3a.aws.credentials.provider",
                "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider")
            : Map.of());
  }
}
