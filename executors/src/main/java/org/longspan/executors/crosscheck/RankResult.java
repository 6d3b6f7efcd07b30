package org.longspan.executors.crosscheck;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.train.RankSetup;

/**
 * What one rank finds.
 *
 * @param loss the sum over its predicted tokens, in nats
 * @param logits rows of its first tokens
 * @param gradients of that sum, rows by the parameter's name
 */
record RankResult(
    SliceInput input, double loss, List<double[]> logits, Map<String, List<double[]>> gradients) {

  /** Numbers of logits that a rank gives; fewer than the model holds at once. */
  private static final int LOGITS = 1 << 17;

  static RankResult of(RankSetup setup, SliceInput input) {
    LanguageModel model = setup.model();
    double loss = model.lossAndGradient(input);
    Map<String, List<double[]>> gradients = new LinkedHashMap<>();
    model.gradients().forEach((name, values) -> gradients.put(name, rows(values)));
    int most = Math.min(setup.environment().tile(), LOGITS / model.shape().vocabulary());
    int count = Math.min(input.length(), Math.max(1, most));
    return new RankResult(input, loss, rows(model.logits(input, count)), gradients);
  }

  private static List<double[]> rows(Matrix values) {
    List<double[]> rows = new ArrayList<>();
    for (long row = 0; row < values.rows(); row++) {
      double[] numbers = new double[values.columns()];
      for (int column = 0; column < numbers.length; column++) {
        numbers[column] = values.get(row, column);
      }
      rows.add(numbers);
    }
    return rows;
  }
}
