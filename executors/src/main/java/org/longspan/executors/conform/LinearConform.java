package org.longspan.executors.conform;

import java.util.List;
import org.longspan.executors.conform.Conform.Part;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.GateWidth;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.Transition;

/**
 * One rank of a conformance run of linear attention: the state by a scan, in flight while the
 * slice's own part is computed.
 */
final class LinearConform {
  /** Blocks in which the state travels: more than one, so that the pipeline is what is checked. */
  private static final int BLOCKS = 3;

  private LinearConform() {}

  static void run(Part part, Communicator ranks, Workers workers, Arena arena) {
    AttentionShape shape = part.given().shape();
    LinearRule rule = LinearRule.of(part.options().mixer());
    int keys = shape.keyColumns();
    Documents documents = part.documents();
    ElementType type =
        switch (part.options().precision()) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
    StateScan scan =
        Scans.of(
            part.options().scan(),
            ranks,
            new StateShape(type, shape.heads(), shape.keyWidth(), shape.valueWidth()),
            rule.transitionKind(),
            BLOCKS,
            ScanCosts.USUAL);
    try (LinearAttention attention = attention(rule, part, workers)) {
      LinearTensors inputs = part.own(part.given().inputs());
      LinearTensors gradients = part.own(part.results().gradients());
      Matrix o = part.own(part.results().o());
      Matrix outputGradient = part.own(part.given().outputGradient());
      Matrix summary = arena.matrix(keys, shape.valueWidth());
      Matrix incoming = arena.matrix(keys, shape.valueWidth());
      Matrix factors = arena.matrix(keys, attention.transitionColumns());
      Transition transition = new Transition(rule.transitionKind(), factors.bytes());
      if (part.place() == 0 && part.given().initialState() != null) {
        incoming.set(part.given().initialState());
      }
      attention.summarize(inputs, documents, summary, factors);
      Pending forward =
          scan.start(
              ScanDirection.FORWARD,
              List.of(new ScanPiece(summary.bytes(), transition, incoming.bytes())));
      attention.forward(inputs, documents, o);
      forward.await();
      attention.addIncoming(inputs, incoming, documents, o);
      if (part.place() == part.slices().size() - 1) {
        pass(shape, factors, ScanDirection.FORWARD, incoming, summary, part.results().finalState());
      }

      Matrix gradientSummary = arena.matrix(keys, shape.valueWidth());
      Matrix incomingGradient = arena.matrix(keys, shape.valueWidth());
      attention.summarizeGradient(inputs, outputGradient, documents, gradientSummary);
      Pending backward =
          scan.start(
              ScanDirection.BACKWARD,
              List.of(
                  new ScanPiece(gradientSummary.bytes(), transition, incomingGradient.bytes())));
      attention.backward(inputs, outputGradient, incoming, documents, gradients);
      backward.await();
      attention.addIncomingGradient(inputs, incoming, incomingGradient, documents, gradients);
      if (part.place() == 0) {
        pass(
            shape,
            factors,
            ScanDirection.BACKWARD,
            incomingGradient,
            gradientSummary,
            part.results().initialGradient());
      }
    }
  }

  private static LinearAttention attention(LinearRule rule, Part part, Workers workers) {
    Precision precision = part.options().precision();
    AttentionShape shape = part.given().shape();
    int chunk = part.options().chunk();
    return switch (rule) {
      case CONSTANT ->
          Kernels.linear(
              part.options().kernel(),
              precision,
              shape,
              part.given().slopes().stream().mapToDouble(Double::doubleValue).toArray(),
              chunk,
              workers);
      case SCALAR_GATE ->
          Kernels.gated(
              part.options().kernel(), precision, shape, GateWidth.SCALAR, chunk, workers);
      case VECTOR_GATE ->
          Kernels.gated(
              part.options().kernel(), precision, shape, GateWidth.VECTOR, chunk, workers);
      case DELTA -> Kernels.delta(part.options().kernel(), precision, shape, chunk, workers);
    };
  }

  /** What the slice makes of a state: {@code out = Γ · incoming + summary}, backward with Γᵀ. */
  private static void pass(
      AttentionShape shape,
      Matrix transition,
      ScanDirection direction,
      Matrix incoming,
      Matrix summary,
      Matrix out) {
    for (int row = 0; row < shape.keyColumns(); row++) {
      int head = row / shape.keyWidth() * shape.keyWidth();
      for (int column = 0; column < shape.valueWidth(); column++) {
        double sum = summary.get(row, column);
        if (transition.columns() == 1) {
          sum += product(transition.get(row, 0), incoming.get(row, column));
        } else {
          for (int i = 0; i < shape.keyWidth(); i++) {
            double factor =
                switch (direction) {
                  case FORWARD -> transition.get(row, i);
                  case BACKWARD -> transition.get(head + i, row - head);
                };
            sum += product(factor, incoming.get(head + i, column));
          }
        }
        out.put(row, column, sum);
      }
    }
  }

  /** A factor of 0 drops what it would multiply, even NaN, as in a scan. */
  private static double product(double factor, double number) {
    return factor == 0 ? 0 : factor * number;
  }
}
