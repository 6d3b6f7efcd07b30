/** Products of matrices and the loops over rows between them, in both precisions. */
package org.longspan.executors.math;
