/** Documents to tokens to packed sequences in Parquet, and slices of them back. */
package org.longspan.datapipeline;
