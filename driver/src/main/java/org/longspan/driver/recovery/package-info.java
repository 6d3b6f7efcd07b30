/** Judges what failed: whether a run goes on with another attempt, and why it ended where not. */
package org.longspan.driver.recovery;
