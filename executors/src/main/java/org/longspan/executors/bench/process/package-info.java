/**
 * Ranks that are processes of this machine, for what threads of one process cannot show: each rank
 * is a JVM of its own, and all messages go through the network.
 */
package org.longspan.executors.bench.process;
