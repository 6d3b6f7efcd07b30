package org.longspan.executors.bench.collective;

import java.util.StringJoiner;
import org.longspan.parallelism.collective.LinkQuality;

/**
 * What moving and folding states costs on this machine, from which the time of a collective
 * follows. Ranks on hosts of their own are held up by the longest path alone; ranks that share
 * processors also by the work of all of them:
 *
 * <pre>
 *   seconds = max(steps · (α + stepBytes/β + stepFoldedBytes · f),
 *                 (bytes · c + messages · d + foldedBytes · f) / processors)
 * </pre>
 *
 * @param link α and β of one message at a time between two ranks
 * @param processorSecondsPerByte c: of sender and receiver together
 * @param processorSecondsPerMessage d: likewise, of a message of 8 bytes
 * @param foldSecondsPerByte f: of a state that is multiplied and added
 * @param processors that the ranks share
 */
public record LinkCosts(
    LinkQuality link,
    double processorSecondsPerByte,
    double processorSecondsPerMessage,
    double foldSecondsPerByte,
    int processors) {

  /** The predicted time. */
  public double seconds(CollectiveWork work) {
    return Math.max(pathSeconds(work), processorSeconds(work) / processors);
  }

  /** The time of the longest path, were each rank alone on its host. */
  public double pathSeconds(CollectiveWork work) {
    return work.steps()
        * (link.latencySeconds()
            + work.stepBytes() / link.bytesPerSecond()
            + work.stepFoldedBytes() * foldSecondsPerByte);
  }

  /** The processor time of all ranks together. */
  public double processorSeconds(CollectiveWork work) {
    return work.bytes() * processorSecondsPerByte
        + work.messages() * processorSecondsPerMessage
        + work.foldedBytes() * foldSecondsPerByte;
  }

  /** As words with spaces between them. */
  String written() {
    return new StringJoiner(" ")
        .add(Double.toString(link.latencySeconds()))
        .add(Double.toString(link.bytesPerSecond()))
        .add(Double.toString(processorSecondsPerByte))
        .add(Double.toString(processorSecondsPerMessage))
        .add(Double.toString(foldSecondsPerByte))
        .add(Integer.toString(processors))
        .toString();
  }

  /** What {@link #written} gave. */
  static LinkCosts read(String words) {
    String[] each = words.split(" ", -1);
    return new LinkCosts(
        new LinkQuality(Double.parseDouble(each[0]), Double.parseDouble(each[1])),
        Double.parseDouble(each[2]),
        Double.parseDouble(each[3]),
        Double.parseDouble(each[4]),
        Integer.parseInt(each[5]));
  }
}
