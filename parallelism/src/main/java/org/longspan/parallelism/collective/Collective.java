package org.longspan.parallelism.collective;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.TransportException;

/**
 * One call of a collective: what it does, and where in the training it was called.
 *
 * @param number how many collectives the group has called, this one included; of the kind {@code
 *     SEND}, which is not counted, 0
 * @param step −1 for none
 * @param layer −1 for none
 */
record Collective(
    MessageLabel.Kind kind, long number, long step, int layer, Consumer<PeerMessages> body) {

  void run(PeerMessages messages) {
    messages.begin(kind, number);
    try {
      body.accept(messages);
    } catch (TransportException e) {
      throw new TransportException(e.getMessage() + position(), e);
    } catch (RuntimeException e) {
      throw new TransportException("Rank " + messages.rank() + ", " + this + ": " + e, e);
    }
  }

  /** In the words of messages: {@code all-reduce 17 (step 3, layer 2)}. */
  @Override
  public String toString() {
    return kind + (number == 0 ? "" : " " + number) + position();
  }

  private String position() {
    List<String> known = new ArrayList<>();
    if (step >= 0) {
      known.add("step " + step);
    }
    if (layer >= 0) {
      known.add("layer " + layer);
    }
    return known.isEmpty() ? "" : " (" + String.join(", ", known) + ")";
  }
}
