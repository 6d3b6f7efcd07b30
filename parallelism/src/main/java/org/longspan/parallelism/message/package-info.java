/** What ranks and the driver tell each other outside the step, written by Kryo. */
package org.longspan.parallelism.message;
