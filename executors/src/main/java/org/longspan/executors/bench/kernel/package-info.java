/**
 * What attention's kernels, and the devices that they run on, are able to: measured rates, times of
 * each kernel and the floor under them. Needs neither Spark nor Hadoop on the class path.
 */
package org.longspan.executors.bench.kernel;
