package org.longspan.driver.launch;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.BarrierTaskContext;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.parallelism.message.MessageCodec;
import org.longspan.parallelism.message.RankAddress;

/** Where the ranks of an attempt meet, once: each says where it listens and what it runs. */
final class Rendezvous {
  private Rendezvous() {}

  /**
   * Waits for every rank.
   *
   * @return all addresses, by rank
   * @throws InvalidInputException where the ranks do not run the same
   */
  static List<RankAddress> meet(BarrierTaskContext task, MessageCodec codec, RankAddress own) {
    List<RankAddress> all =
        Arrays.stream(task.allGather(codec.encodeText(own)))
            .map(said -> codec.decodeText(said, RankAddress.class))
            .sorted(Comparator.comparingInt(RankAddress::rank))
            .toList();
    checkSame(all);
    return all;
  }

  static void checkSame(List<RankAddress> all) {
    RankAddress first = all.get(0);
    List<RankAddress> others =
        all.stream()
            .filter(one -> !one.configurationHash().equals(first.configurationHash()))
            .toList();
    if (!others.isEmpty()) {
      throw new InvalidInputException(
          String.format(
              "Rank 0 on %s runs another configuration than rank %s; every executor needs the same"
                  + " configuration and the same version of Longspan.",
              first.host(),
              others.stream()
                  .map(one -> one.rank() + " on " + one.host())
                  .collect(Collectors.joining(" and rank "))));
    }
  }
}
