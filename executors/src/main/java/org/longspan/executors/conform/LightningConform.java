package org.longspan.executors.conform;

import java.util.Arrays;
import java.util.List;
import org.longspan.executors.conform.Conform.Part;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.LinkQuality;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.Transition;
import org.longspan.parallelism.collective.TransitionKind;

/**
 * One rank of a conformance run of linear attention: state by the All-Scan, in flight while the
 * slice's own part is computed.
 */
final class LightningConform {
  /** Blocks in which the state travels: more than one, so that the pipeline is what is checked. */
  private static final int BLOCKS = 3;

  private LightningConform() {}

  static void run(Part part, Communicator ranks, Workers workers, Arena arena) {
    AttentionShape shape = part.given().shape();
    int keys = shape.heads() * shape.keyWidth();
    double[] slopes = part.given().slopes().stream().mapToDouble(Double::doubleValue).toArray();
    Documents documents = part.documents();
    Matrix q = part.own(part.given().q());
    Matrix k = part.own(part.given().k());
    Matrix v = part.own(part.given().v());
    Matrix outputGradient = part.own(part.given().outputGradient());
    Matrix o = part.own(part.results().o());
    Matrix summary = arena.matrix(keys, shape.valueWidth());
    Matrix incoming = arena.matrix(keys, shape.valueWidth());
    ElementType type =
        switch (part.options().precision()) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
    StateScan scan =
        Scans.of(
            ScanChoice.CHAIN,
            ranks,
            new StateShape(type, shape.heads(), shape.keyWidth(), shape.valueWidth()),
            TransitionKind.DIAGONAL,
            BLOCKS,
            LinkQuality.USUAL);
    try (LinearAttention attention =
        Kernels.linear(
            part.options().kernel(),
            part.options().precision(),
            shape,
            slopes,
            part.options().chunk(),
            workers)) {
      LinearTensors inputs = LinearTensors.of(q, k, v);
      Matrix factors = arena.matrix(keys, 1);
      if (part.place() == 0 && part.given().initialState() != null) {
        incoming.set(part.given().initialState());
      }
      attention.summarize(inputs, documents, summary, factors);
      double[] transition = new double[keys];
      Arrays.setAll(transition, row -> factors.get(row, 0));
      Pending forward =
          scan.start(
              ScanDirection.FORWARD,
              List.of(
                  new ScanPiece(
                      summary.bytes(), Transition.diagonal(factors.bytes()), incoming.bytes())));
      attention.forward(inputs, documents, o);
      forward.await();
      attention.addIncoming(inputs, incoming, documents, o);
      if (part.place() == part.slices().size() - 1) {
        pass(transition, incoming, summary, part.results().finalState());
      }

      Matrix dq = part.own(part.results().dq());
      Matrix dk = part.own(part.results().dk());
      Matrix dv = part.own(part.results().dv());
      LinearTensors gradients = LinearTensors.of(dq, dk, dv);
      Matrix gradientSummary = arena.matrix(keys, shape.valueWidth());
      Matrix incomingGradient = arena.matrix(keys, shape.valueWidth());
      attention.summarizeGradient(inputs, outputGradient, documents, gradientSummary);
      Pending backward =
          scan.start(
              ScanDirection.BACKWARD,
              List.of(
                  new ScanPiece(
                      gradientSummary.bytes(),
                      Transition.diagonal(factors.bytes()),
                      incomingGradient.bytes())));
      attention.backward(inputs, outputGradient, incoming, documents, gradients);
      backward.await();
      attention.addIncomingGradient(inputs, incoming, incomingGradient, documents, gradients);
      if (part.place() == 0) {
        pass(transition, incomingGradient, gradientSummary, part.results().initialGradient());
      }
    }
  }

  /** {@code out = Γ ⊙ incoming + summary}. */
  private static void pass(double[] transition, Matrix incoming, Matrix summary, Matrix out) {
    for (int row = 0; row < transition.length; row++) {
      for (int column = 0; column < out.columns(); column++) {
        double carried = transition[row] == 0 ? 0 : transition[row] * incoming.get(row, column);
        out.put(row, column, carried + summary.get(row, column));
      }
    }
  }
}
