/**
 * Packed sequences in Parquet: the layout of the files, the manifest beside them, and the reader
 * that fetches one slice of one sequence. Knows nothing of Spark.
 */
package org.longspan.datapipeline.dataset;
