package org.longspan.parallelism.collective;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;

/** Runs a communicator over all ranks of a transport. */
final class Groups {
  static final Duration LIMIT = Duration.ofSeconds(60);

  /** What carries the messages of a test. */
  enum Carrier {
    MEMORY {
      @Override
      List<Transport> connect(int ranks, Duration limit) {
        return InProcessTransport.connect(ranks, limit);
      }
    },
    NETWORK {
      @Override
      List<Transport> connect(int ranks, Duration limit) {
        return NetworkTransport.loopback(ranks, limit, Protection.ENCRYPTED);
      }
    };

    abstract List<Transport> connect(int ranks, Duration limit);
  }

  private Groups() {}

  /** Many sizes in memory, some over the network. */
  static Stream<Arguments> all() {
    return Stream.concat(
        IntStream.of(1, 2, 3, 4, 7, 16).mapToObj(ranks -> Arguments.of(Carrier.MEMORY, ranks)),
        IntStream.of(2, 3).mapToObj(ranks -> Arguments.of(Carrier.NETWORK, ranks)));
  }

  static <T> List<T> run(Carrier carrier, int ranks, Function<Communicator, T> body) {
    return LocalRanks.run(
        carrier.connect(ranks, LIMIT),
        transport -> {
          try (Communicator communicator = over(transport, 0)) {
            return body.apply(communicator);
          }
        });
  }

  static Communicator over(Transport transport, int channel) {
    return Communicator.over(
        transport, IntStream.range(0, transport.size()).boxed().toList(), channel);
  }
}
