package org.longspan.datapipeline.prepare;

import java.util.List;
import org.longspan.datapipeline.dataset.Manifest;

/**
 * What a run of {@link Prepare} left.
 *
 * @param output the dataset's path, with its scheme
 * @param manifest the counts of documents, tokens, sequences and skipped inputs, and the files
 * @param skippedNames files and entries of archives that were skipped, the first few
 */
public record PrepareResult(String output, Manifest manifest, List<String> skippedNames) {}
