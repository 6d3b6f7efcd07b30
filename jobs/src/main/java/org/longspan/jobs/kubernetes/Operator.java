package org.longspan.jobs.kubernetes;

/** Who turns a {@code SparkApplication} into pods. */
public enum Operator {
  /** Kubeflow's: {@code sparkoperator.k8s.io/v1beta2}. */
  KUBEFLOW("sparkoperator.k8s.io", "v1beta2"),
  /** Apache Spark's own: {@code spark.apache.org/v1}. */
  APACHE("spark.apache.org", "v1");

  private final String group;
  private final String version;

  Operator(String group, String version) {
    this.group = group;
    this.version = version;
  }

  String group() {
    return group;
  }

  String version() {
    return version;
  }

  /** As a manifest names it. */
  public String apiVersion() {
    return group + "/" + version;
  }
}
