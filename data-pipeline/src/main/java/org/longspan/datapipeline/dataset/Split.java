package org.longspan.datapipeline.dataset;

/** One of the two parts of a dataset; no document lies in both. */
public enum Split {
  /** What a model learns from. */
  TRAIN("train"),
  /** What a model is judged by. */
  VALIDATION("validation");

  private final String folder;

  Split(String folder) {
    this.folder = folder;
  }

  /** The name of the folder with this split's files. */
  public String folder() {
    return folder;
  }
}
