/** Associative recall across ranks: the end-to-end proof that state crosses executors. */
package org.longspan.executors.bench.recall;
