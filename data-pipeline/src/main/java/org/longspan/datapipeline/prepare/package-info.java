/** The Spark job that turns text files, archives and Parquet columns into a dataset. */
package org.longspan.datapipeline.prepare;
