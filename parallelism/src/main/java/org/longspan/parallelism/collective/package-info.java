/** What ranks do together: sums, gathers, the scan of the state, and the halo of a window. */
package org.longspan.parallelism.collective;
