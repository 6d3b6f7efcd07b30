/**
 * What users start: the command line and its commands. A command reads its options, says what is
 * wrong with them, and hands over to the modules below.
 */
package org.longspan.jobs;
