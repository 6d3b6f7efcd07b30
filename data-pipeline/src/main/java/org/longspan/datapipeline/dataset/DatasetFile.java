package org.longspan.datapipeline.dataset;

/**
 * One Parquet file of a split. It holds whole sequences.
 *
 * @param name its name in the split's folder
 * @param firstSequence the first sequence in it
 * @param lastSequence the last sequence in it
 * @param size its bytes
 * @param checksum SHA-256 of its bytes, hexadecimal
 */
public record DatasetFile(
    String name, long firstSequence, long lastSequence, long size, String checksum) {}
