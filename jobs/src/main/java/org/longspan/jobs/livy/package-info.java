/** Runs by way of a Livy server: its REST interface, and following a batch to its end. */
package org.longspan.jobs.livy;
