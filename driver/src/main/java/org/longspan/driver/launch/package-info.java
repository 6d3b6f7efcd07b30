/**
 * Starts Spark, and runs a program on the ranks of a mesh as one barrier stage of it. Everything
 * that touches Spark's internals is here and in {@code SlotCheck} and {@code StageWatch}.
 */
package org.longspan.driver.launch;
