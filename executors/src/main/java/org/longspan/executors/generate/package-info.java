/** Text from a checkpoint, a token at a time, in memory that does not grow. */
package org.longspan.executors.generate;
