/** The innermost loops, on the incubating Vector API, which is why they are compiled apart. */
package org.longspan.executors.vector;
