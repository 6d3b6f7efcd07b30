/** How much of a state's way through the ranks hides behind the ranks' own work. */
package org.longspan.executors.bench.overlap;
