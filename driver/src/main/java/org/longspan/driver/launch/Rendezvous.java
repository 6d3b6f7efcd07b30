package org.longspan.driver.launch;

import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.BarrierTaskContext;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.event.EventCodec;
import org.longspan.driver.event.Introduction;

/** Where the ranks of an attempt meet, once: each says where it listens and what it runs. */
final class Rendezvous {
  private Rendezvous() {}

  /**
   * Waits for every rank.
   *
   * @return all introductions, by rank
   * @throws InvalidInputException where the ranks do not run the same
   */
  static List<Introduction> meet(BarrierTaskContext task, EventCodec codec, Introduction own) {
    String text = Base64.getEncoder().encodeToString(codec.encode(own));
    List<Introduction> all =
        Arrays.stream(task.allGather(text))
            .map(said -> codec.decode(Base64.getDecoder().decode(said), Introduction.class))
            .sorted(Comparator.comparingInt(Introduction::rank))
            .toList();
    checkSame(all);
    return all;
  }

  static void checkSame(List<Introduction> all) {
    Introduction first = all.get(0);
    List<Introduction> others =
        all.stream().filter(one -> !one.fingerprint().equals(first.fingerprint())).toList();
    if (!others.isEmpty()) {
      throw new InvalidInputException(
          String.format(
              "Rank %s runs another configuration than rank 0 on %s; every executor needs the same"
                  + " configuration and the same version of Longspan.",
              others.stream()
                  .map(one -> one.rank() + " on " + one.host())
                  .collect(Collectors.joining(", rank ")),
              first.host()));
    }
  }
}
