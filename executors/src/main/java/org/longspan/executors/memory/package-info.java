/** Matrices outside the heap, and who owns them. */
package org.longspan.executors.memory;
