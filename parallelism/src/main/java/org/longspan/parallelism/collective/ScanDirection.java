package org.longspan.parallelism.collective;

/** Which way a state goes through the ranks of a communicator. */
public enum ScanDirection {
  /** From the first rank to the last. */
  FORWARD,
  /** From the last rank to the first. */
  BACKWARD
}
