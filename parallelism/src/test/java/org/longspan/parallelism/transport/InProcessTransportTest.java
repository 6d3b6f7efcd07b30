package org.longspan.parallelism.transport;

import java.time.Duration;
import java.util.List;

class InProcessTransportTest extends TransportContract {
  @Override
  List<Transport> connect(int ranks, Duration timeLimit) {
    return InProcessTransport.connect(ranks, timeLimit);
  }
}
