package org.longspan.parallelism.transport;

import java.util.List;

/** Who a connected rank is, and the other ranks in their order. */
record NetworkSession(RankIdentity own, List<NetworkPeer> peers) {
  NetworkPeer peer(int number) {
    Route.checkPeer(own.rank(), number, own.size());
    return peers.get(number < own.rank() ? number : number - 1);
  }
}
