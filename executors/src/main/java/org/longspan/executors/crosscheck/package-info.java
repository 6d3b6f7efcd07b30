/**
 * What a checkpoint's model makes of one sequence, over any number of ranks, written to a file, so
 * that another framework can find the same logits, loss and gradients.
 */
package org.longspan.executors.crosscheck;
