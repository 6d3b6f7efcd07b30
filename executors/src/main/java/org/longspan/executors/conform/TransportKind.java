package org.longspan.executors.conform;

/** How the ranks of a conformance run talk. All of them are threads of this process. */
public enum TransportKind {
  /** In memory. */
  LOCAL,
  /** Over Spark's network library, on the loopback interface. */
  NETWORK
}
