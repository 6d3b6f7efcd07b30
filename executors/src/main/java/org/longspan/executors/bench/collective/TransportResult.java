package org.longspan.executors.bench.collective;

import org.longspan.parallelism.transport.Protection;

/**
 * What was measured of a way between two processes.
 *
 * @param name {@code transport}, {@code plain-socket}
 * @param protection of the transport measured; a plain socket has none, and is measured with each
 * @param gigabytesPerSecond 10⁹ bytes a second, one way, in messages of 1 MiB
 * @param microseconds of 8 bytes there and back
 * @param ratio to the plain socket's rate in the same run
 */
public record TransportResult(
    String name,
    Protection protection,
    double gigabytesPerSecond,
    double microseconds,
    double ratio) {}
