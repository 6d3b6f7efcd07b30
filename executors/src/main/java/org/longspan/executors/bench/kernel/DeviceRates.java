package org.longspan.executors.bench.kernel;

/**
 * What an OpenCL device reaches through Aparapi.
 *
 * @param compute on the device
 * @param putBytesPerSecond from a Java array to the device
 * @param getBytesPerSecond from the device to a Java array
 * @param launchSeconds of a launch that does nothing
 */
public record DeviceRates(
    ComputeRates compute,
    double putBytesPerSecond,
    double getBytesPerSecond,
    double launchSeconds) {}
