/**
 * A mixer's core operation on tensors from outside, so that anyone can check it against another
 * framework.
 */
package org.longspan.executors.conform;
