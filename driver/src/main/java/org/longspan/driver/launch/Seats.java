package org.longspan.driver.launch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which rank each task of a stage is. Spark deals tasks out over the hosts in any order; ranks are
 * numbered host by host, so that neighbours in the mesh are neighbours in the cluster, and the
 * tensor ranks of a slice share a host wherever one has room for them.
 */
final class Seats {
  private Seats() {}

  /**
   * The rank of each task; every task comes to the same.
   *
   * @param hosts of the tasks
   * @param tensor ranks that are to share a host, if they can
   */
  static List<Integer> of(List<String> hosts, int tensor) {
    Map<String, List<Integer>> tasksOfHost = new LinkedHashMap<>();
    for (int task = 0; task < hosts.size(); task++) {
      tasksOfHost.computeIfAbsent(hosts.get(task), host -> new ArrayList<>()).add(task);
    }
    List<Integer> order = new ArrayList<>();
    List<Integer> leftOver = new ArrayList<>();
    for (List<Integer> tasks : tasksOfHost.values()) {
      int seated = tasks.size() / tensor * tensor;
      order.addAll(tasks.subList(0, seated));
      leftOver.addAll(tasks.subList(seated, tasks.size()));
    }
    order.addAll(leftOver);
    List<Integer> ranks = new ArrayList<>(order);
    for (int rank = 0; rank < order.size(); rank++) {
      ranks.set(order.get(rank), rank);
    }
    return List.copyOf(ranks);
  }
}
