package org.longspan.jobs;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.driver.launch.Launcher;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.CheckpointManifest;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.train.EvaluationProgram;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;

/**
 * A model's loss over the validation split.
 *
 * @param checkpoint the model
 * @param data the dataset
 * @param mesh the ranks that share the work
 * @param kernel computes the attention, whatever the checkpoint's run computed it with
 */
record Evaluation(String checkpoint, String data, Mesh mesh, KernelChoice kernel) {
  /** With whichever kernel there is. */
  Evaluation(String checkpoint, String data, Mesh mesh) {
    this(checkpoint, data, mesh, KernelChoice.AUTO);
  }

  /**
   * What it found.
   *
   * @param loss in nats, the mean over {@code tokens} predicted tokens
   * @param bytes of the text that the tokens stand for
   */
  record Result(double loss, long tokens, long bytes) {
    double bitsPerByte() {
      return loss * tokens / Math.log(2) / bytes;
    }

    double perplexity() {
      return Math.exp(loss);
    }

    void print(Terminal terminal) {
      terminal.line("Validation loss  %.4f nats a token, over %,d tokens", loss, tokens);
      terminal.line("bits per byte    %.4f", bitsPerByte());
      terminal.line("perplexity       %.4f", perplexity());
    }
  }

  /** Refuses what cannot be used, before anything is started. */
  void check(Configuration hadoop) {
    Checkpoint opened = Checkpoint.open(hadoop, checkpoint);
    CheckpointManifest manifest = opened.manifest();
    Dataset dataset = Dataset.open(hadoop, data);
    dataset.requireTokenizer(manifest.tokenizer(), manifest.vocabulary());
    dataset.split(Split.VALIDATION);
    opened.shape().requireSplit(mesh.tensor(), "--tensor-ranks");
    // A configuration refuses a kernel that does not go with its precision or its mixers.
    opened.configuration().with(Options.KERNEL, kernel);
  }

  Result run(SparkRuntime spark) {
    AtomicReference<RankEvent.Validation> found = new AtomicReference<>();
    String asked = checkpoint + " on " + data;
    Launcher.run(
        spark.context(),
        LaunchPlan.of(mesh, () -> asked),
        new EvaluationProgram(
            SparkRuntime.qualified(spark.hadoop(), checkpoint),
            SparkRuntime.qualified(spark.hadoop(), data),
            kernel),
        event -> {
          if (event instanceof RankEvent.Validation validation) {
            found.set(validation);
          }
        });
    RankEvent.Validation validation = found.get();
    if (validation == null) {
      throw new IllegalStateException("The ranks ended without a validation loss");
    }
    long bytes = Dataset.open(spark.hadoop(), data).split(Split.VALIDATION).summary().bytes();
    return new Result(validation.loss(), validation.tokens(), bytes);
  }
}
