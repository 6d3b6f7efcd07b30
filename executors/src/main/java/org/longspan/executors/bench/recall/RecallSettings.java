package org.longspan.executors.bench.recall;

import java.io.Serializable;
import java.util.Locale;
import java.util.Map;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.RankMode.Exchange;

/**
 * One training of a small model on a {@link RecallTask}.
 *
 * @param mixer of the model's only block
 * @param steps optimizer steps at most; a model that has learned to recall takes no more
 * @param exchange whether what the ranks know of each other's tokens is cut
 */
public record RecallSettings(RecallTask task, MixerKind mixer, int steps, Exchange exchange)
    implements Serializable {
  private static final String MODEL =
      """
      model: {width: 64, layers: 1, heads: 1, feed-forward: 64, convolution: 2}
      train: {learning-rate: 0.02, warmup: 20, weight-decay: 0}
      """;

  /** What the ranks are set up from. */
  public RunConfiguration configuration() {
    return RunConfiguration.parse(
        MODEL,
        "the recall model",
        Map.of(
            Options.MODEL_PATTERN.key(),
            "[" + mixer.name().toLowerCase(Locale.ROOT).replace('_', '-') + "]",
            // A window that reaches over the whole sequence, whatever its length.
            Options.MODEL_WINDOW.key(),
            Integer.toString(task.tokens()),
            Options.MESH_SEQUENCE.key(),
            Integer.toString(task.ranks()),
            Options.TRAIN_STEPS.key(),
            Integer.toString(steps),
            Options.EXCHANGE_CUT.key(),
            Boolean.toString(exchange == Exchange.CUT),
            Options.SEED.key(),
            Long.toString(task.seed())));
  }
}
