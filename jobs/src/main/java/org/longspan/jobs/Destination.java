package org.longspan.jobs;

/** What a run may be submitted to. */
enum Destination {
  /** A Kubernetes cluster, by way of an operator for Spark. */
  KUBERNETES,
  /** A Livy server, as a batch. */
  LIVY
}
