package org.longspan.executors.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;

/** Adam's moments of each parameter, seen in the optimizer's flat vector. */
final class OptimizerMoments {
  private OptimizerMoments() {}

  /**
   * By what a moment's name adds to a parameter's, the moments by the parameters' names: what of
   * them is on this rank.
   */
  static Map<String, Map<String, Matrix>> of(LanguageModel model) {
    Matrix flat = model.optimizerState();
    if (flat.rows() != 2 * model.size()) {
      throw new IllegalStateException(
          "Adam keeps "
              + flat.rows()
              + " numbers for "
              + model.size()
              + " parameters, not two for each");
    }
    Map<String, Map<String, Matrix>> moments = new LinkedHashMap<>();
    long from = 0;
    for (String suffix : List.of(Checkpoint.FIRST_MOMENT, Checkpoint.SECOND_MOMENT)) {
      Map<String, Matrix> ofParameters = new LinkedHashMap<>();
      for (Map.Entry<String, Matrix> parameter : model.parameters().entrySet()) {
        Matrix values = parameter.getValue();
        ofParameters.put(
            parameter.getKey(),
            flat.rows(from, from + values.size()).reshape(values.rows(), values.columns()));
        from += values.size();
      }
      moments.put(suffix, ofParameters);
    }
    return moments;
  }
}
