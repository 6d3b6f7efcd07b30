package org.longspan.executors.latent;

/** The numbers by which the forms of latent attention differ. */
record LatentScales(LatentShape shape, LatentWeights weights) {

  /** By what a norm's squares are multiplied: the mean over the whole latent, or its estimate. */
  double ofNorm(int norm) {
    double estimate =
        switch (shape.form()) {
          case MLA -> 1;
          case TPLA -> shape.estimatesNorms() ? weights.estimates().get(0, norm) : 1;
          case MLRA -> shape.groups();
        };
    return estimate / shape.rank();
  }

  /** By what the scores of a group's content are multiplied. */
  double ofContent(int group) {
    return switch (shape.form()) {
      case MLA, MLRA -> 1;
      case TPLA -> weights.contentScale().get(0, group);
    };
  }

  /** By what outputs are multiplied. */
  double ofValues() {
    return switch (shape.form()) {
      case MLA, TPLA -> 1;
      case MLRA -> 1 / Math.sqrt(shape.groups());
    };
  }
}
