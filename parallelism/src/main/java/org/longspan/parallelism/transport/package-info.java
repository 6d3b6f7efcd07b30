/**
 * Messages between ranks: threads of one JVM for tests, Spark's network library between executors.
 */
package org.longspan.parallelism.transport;
