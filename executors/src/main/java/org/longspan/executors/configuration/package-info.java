/**
 * The options of a training run, each declared once with its key, default and meaning, and the
 * values that a user gave for them.
 */
package org.longspan.executors.configuration;
