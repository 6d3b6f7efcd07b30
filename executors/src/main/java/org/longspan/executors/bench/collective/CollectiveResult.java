package org.longspan.executors.bench.collective;

/**
 * What was measured of one collective.
 *
 * @param stateBytes that each rank gives
 * @param medianSeconds of the slowest rank, the median of the repetitions
 * @param receivedBytes by the rank that receives most, by the communicator's own count
 * @param ratio to the all-gather of as many ranks and bytes in the same run
 * @param predictedSeconds by the model, from the costs measured before
 * @param description how it travels, for people
 */
public record CollectiveResult(
    String collective,
    int ranks,
    long stateBytes,
    double medianSeconds,
    long receivedBytes,
    double ratio,
    double predictedSeconds,
    String description) {}
