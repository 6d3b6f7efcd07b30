/**
 * What a run shows while it works and leaves behind: a line on the terminal, {@code run.jsonl} with
 * one object a step and one for each attempt that failed, and {@code report.html} with the curves
 * drawn.
 */
package org.longspan.driver.progress;
