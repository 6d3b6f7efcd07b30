package org.longspan.jobs;

/** What a run may be submitted to. */
enum Destination {
  /** A Livy server, as a batch. */
  LIVY
}
