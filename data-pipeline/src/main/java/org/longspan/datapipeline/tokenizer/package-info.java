/** Text to token ids and back. A dataset names the tokenizer that made it. */
package org.longspan.datapipeline.tokenizer;
