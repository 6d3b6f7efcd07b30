package org.longspan.executors.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;

/** Adam's moments of each parameter, by name, seen in the optimizer's flat vector. */
final class OptimizerMoments {
  private OptimizerMoments() {}

  static Map<String, Matrix> of(LanguageModel model) {
    Matrix flat = model.optimizerState();
    if (flat.rows() != 2 * model.size()) {
      throw new IllegalStateException(
          "Adam keeps "
              + flat.rows()
              + " numbers for "
              + model.size()
              + " parameters, not two for each");
    }
    Map<String, Matrix> moments = new LinkedHashMap<>();
    long[] starts = {0, model.size()};
    String[] suffixes = {Checkpoint.FIRST_MOMENT, Checkpoint.SECOND_MOMENT};
    for (int moment = 0; moment < starts.length; moment++) {
      long from = starts[moment];
      for (Map.Entry<String, Matrix> parameter : model.parameters().entrySet()) {
        Matrix values = parameter.getValue();
        moments.put(
            parameter.getKey() + suffixes[moment],
            flat.rows(from, from + values.size()).reshape(values.rows(), values.columns()));
        from += values.size();
      }
    }
    return moments;
  }
}
