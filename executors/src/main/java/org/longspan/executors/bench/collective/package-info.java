/**
 * Collectives and the transport under them, measured between processes of this machine, beside what
 * a model of the link predicts.
 */
package org.longspan.executors.bench.collective;
