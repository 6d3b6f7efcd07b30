/**
 * What a rank does to train and to evaluate: reading its slices, the step, the sums over the mesh,
 * checkpoints on the way.
 */
package org.longspan.executors.train;
