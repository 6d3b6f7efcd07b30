/** What a token stream says of itself, without a model. */
package org.longspan.datapipeline.statistics;
