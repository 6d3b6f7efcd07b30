package org.longspan.executors.bench.collective;

/**
 * What was measured of a way between two processes.
 *
 * @param name {@code transport}, {@code plain-socket}
 * @param gigabytesPerSecond 10⁹ bytes a second, one way, in messages of 1 MiB
 * @param microseconds of 8 bytes there and back
 * @param ratio to the plain socket's rate in the same run
 */
public record TransportResult(
    String name, double gigabytesPerSecond, double microseconds, double ratio) {}
