/** Documents one after the other become sequences of a fixed length, cut into pieces. */
package org.longspan.datapipeline.packing;
