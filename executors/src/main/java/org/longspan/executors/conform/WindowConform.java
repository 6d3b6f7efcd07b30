package org.longspan.executors.conform;

import java.util.List;
import org.longspan.executors.conform.Conform.Part;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.HaloGradients;

/**
 * One rank of a conformance run of sliding-window attention: the halo of keys and values comes from
 * the left, its gradients go back.
 */
final class WindowConform {
  private WindowConform() {}

  static void run(Part part, Communicator ranks, Workers workers, Arena arena) {
    AttentionShape shape = part.given().shape();
    int keys = shape.heads() * shape.keyWidth();
    int values = shape.heads() * shape.valueWidth();
    int length = Math.toIntExact(part.slice().length());
    ElementType type =
        switch (part.options().precision()) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
    int reach = (int) Math.min(part.given().window() - 1L, part.given().tokens());
    HaloExchange exchange = new HaloExchange(ranks, part.slices(), reach);
    int halo = exchange.length();
    int tail = exchange.tailLength();
    Matrix k = withHalo(part.own(part.given().inputs().k()), halo, arena);
    Matrix v = withHalo(part.own(part.given().inputs().v()), halo, arena);
    fetch(exchange, k, halo, tail, type, arena);
    fetch(exchange, v, halo, tail, type, arena);
    Matrix q = part.own(part.given().inputs().q());
    Matrix o = part.own(part.results().o());
    Matrix logSums = arena.matrix(length, shape.heads());
    Matrix dk = arena.matrix((long) halo + length, keys);
    Matrix dv = arena.matrix((long) halo + length, values);
    try (WindowAttention attention =
        Kernels.window(
            part.options().kernel(),
            part.options().precision(),
            shape,
            part.given().window(),
            workers)) {
      attention.forward(q, k, v, part.documents(), 0, length, o, logSums);
      attention.backward(
          q,
          k,
          v,
          o,
          logSums,
          part.own(part.given().outputGradient()),
          part.documents(),
          part.own(part.results().gradients().q()),
          dk,
          dv);
    }
    // A slice is one block here, the only one that sees rows of other ranks.
    HaloGradients back =
        new HaloGradients(ranks, part.slices(), reach, Math.max(1, part.given().tokens()));
    giveBack(back, dk, halo, tail, type, part.own(part.results().gradients().k()), arena);
    giveBack(back, dv, halo, tail, type, part.own(part.results().gradients().v()), arena);
  }

  private static Matrix withHalo(Matrix own, int halo, Arena arena) {
    Matrix all = arena.matrix(halo + own.rows(), own.columns());
    all.rows(halo, all.rows()).set(own);
    return all;
  }

  private static void fetch(
      HaloExchange exchange, Matrix all, int halo, int tail, ElementType type, Arena arena) {
    Matrix last = arena.matrix(tail, all.columns());
    last.set(all.rows(all.rows() - tail, all.rows()));
    exchange.fetch(last.bytes(0, tail), all.columns() * type.bytes(), all.bytes(0, halo));
  }

  private static void giveBack(
      HaloGradients exchange,
      Matrix gradient,
      int halo,
      int tail,
      ElementType type,
      Matrix result,
      Arena arena) {
    Matrix received = arena.matrix(tail, gradient.columns());
    received.set(gradient.rows(gradient.rows() - tail, gradient.rows()));
    exchange.giveBack(
        halo == 0 ? List.of() : List.of(gradient.bytes(0, halo)),
        type,
        gradient.columns() * type.bytes(),
        received.bytes(0, tail));
    result.set(gradient.rows(halo, gradient.rows()));
    result.rows(result.rows() - tail, result.rows()).set(received);
  }
}
