package org.longspan.executors.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.longspan.parallelism.collective.Communicator;

/** Brings numbers that every rank has measured together. */
public final class RankTimes {
  private RankTimes() {}

  /** For each place in {@code own} the greatest value of any rank; every rank calls. */
  public static double[] greatest(Communicator communicator, double[] own) {
    int bytes = own.length * Double.BYTES;
    ByteBuffer mine = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    mine.asDoubleBuffer().put(own);
    ByteBuffer all =
        ByteBuffer.allocate(bytes * communicator.size()).order(ByteOrder.nativeOrder());
    communicator.allGather(mine, all);
    double[] greatest = own.clone();
    for (int rank = 0; rank < communicator.size(); rank++) {
      for (int place = 0; place < own.length; place++) {
        double value = all.getDouble(rank * bytes + place * Double.BYTES);
        greatest[place] = Math.max(greatest[place], value);
      }
    }
    return greatest;
  }
}
