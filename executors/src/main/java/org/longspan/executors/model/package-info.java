/**
 * The language model as a DL4J {@code ComputationGraph} of our layers: from its shape to
 * parameters, gradients and updates. The classes named {@code …Configuration} are what DL4J
 * serializes; the ones named {@code …Layer} run.
 */
package org.longspan.executors.model;
