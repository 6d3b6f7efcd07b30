/** Measurements of what a rank does, each beside a floor measured in the same run. */
package org.longspan.executors.bench;
