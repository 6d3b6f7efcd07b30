package org.longspan.datapipeline.prepare;

import java.io.Serializable;
import org.longspan.datapipeline.dataset.Split;

/** Which split a document lies in, by the hash of its text alone: equal texts lie in one split. */
sealed interface SplitRule extends Serializable {

  Split of(long hash);

  /** Documents in the first {@code perMille} thousandths of the unsigned hashes validate. */
  record ByShare(int perMille) implements SplitRule {
    private static final int WHOLE = 1000;

    static ByShare rounded(double share) {
      int rounded = (int) Math.round(share * WHOLE);
      return new ByShare(share > 0 ? Math.max(1, rounded) : 0);
    }

    @Override
    public Split of(long hash) {
      long thousandth = ((hash >>> Integer.SIZE) * WHOLE) >>> Integer.SIZE;
      return thousandth < perMille ? Split.VALIDATION : Split.TRAIN;
    }
  }

  /** One text lies in validation, where the share leaves it empty. */
  record OneForValidation(long validationHash) implements SplitRule {
    @Override
    public Split of(long hash) {
      return hash == validationHash ? Split.VALIDATION : Split.TRAIN;
    }
  }

  /** One text lies in training, where the share leaves it empty. */
  record OneForTraining(long trainHash) implements SplitRule {
    @Override
    public Split of(long hash) {
      return hash == trainHash ? Split.TRAIN : Split.VALIDATION;
    }
  }
}
