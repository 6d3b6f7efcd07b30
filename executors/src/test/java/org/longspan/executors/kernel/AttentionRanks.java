package org.longspan.executors.kernel;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.Transition;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/**
 * Runs a problem on ranks that are threads of this JVM: the sequence cut into slices, states handed
 * from slice to slice by a scan, their gradients back. Matrices are views of columns; outputs hold
 * NaN before they are written.
 *
 * @param kernel makes a rank's attention
 * @param threads of each rank
 * @param seams what stands between the ranks and what they compute with
 */
public record AttentionRanks(
    AttentionCase problem,
    Precision precision,
    Function<Workers, LinearAttention> kernel,
    ScanChoice scan,
    int threads,
    Seams seams) {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);
  private static final int CHANNEL = 1;

  /** More than one, so that the pipeline is what is tested. */
  private static final int BLOCKS = 3;

  /** On the CPU, one thread a rank, the state by a chain. */
  public static AttentionRanks of(AttentionCase problem, Precision precision, int chunk) {
    return new AttentionRanks(
        problem,
        precision,
        workers -> attention(problem, precision, chunk, workers),
        ScanChoice.CHAIN,
        1,
        Seams.NONE);
  }

  private static LinearAttention attention(
      AttentionCase problem, Precision precision, int chunk, Workers workers) {
    AttentionShape shape = problem.shape();
    return switch (problem.rule()) {
      case CONSTANT ->
          Kernels.linear(KernelChoice.CPU, precision, shape, problem.slopes(), chunk, workers);
      case SCALAR_GATE ->
          Kernels.gated(KernelChoice.CPU, precision, shape, GateWidth.SCALAR, chunk, workers);
      case VECTOR_GATE ->
          Kernels.gated(KernelChoice.CPU, precision, shape, GateWidth.VECTOR, chunk, workers);
      case DELTA -> Kernels.delta(KernelChoice.CPU, precision, shape, chunk, workers);
    };
  }

  AttentionRanks withKernel(Function<Workers, LinearAttention> other) {
    return new AttentionRanks(problem, precision, other, scan, threads, seams);
  }

  AttentionRanks withThreads(int count) {
    return new AttentionRanks(problem, precision, kernel, scan, count, seams);
  }

  public AttentionRanks withScan(ScanChoice other) {
    return new AttentionRanks(problem, precision, kernel, other, threads, seams);
  }

  public AttentionRanks withSeams(Seams others) {
    return new AttentionRanks(problem, precision, kernel, scan, threads, others);
  }

  /**
   * What all ranks give.
   *
   * @param cuts ascending offsets at which a next rank's slice starts
   */
  public AttentionResult run(int... cuts) {
    int places = cuts.length + 1;
    List<Integer> everyone = IntStream.range(0, places).boxed().toList();
    return AttentionResult.joined(
        LocalRanks.run(
            InProcessTransport.connect(places, TIME_LIMIT).stream().map(seams::network).toList(),
            transport -> {
              int place = transport.rank();
              int from = place == 0 ? 0 : cuts[place - 1];
              int to = place == cuts.length ? problem.documents().tokens() : cuts[place];
              try (Communicator ranks = Communicator.over(transport, everyone, CHANNEL);
                  Workers workers = new Workers(threads);
                  Arena arena = new Arena("of rank " + place, precision)) {
                return run(problem.piece(from, to), ranks, workers, arena);
              }
            }));
  }

  private AttentionResult run(
      AttentionCase slice, Communicator ranks, Workers workers, Arena arena) {
    AttentionShape shape = slice.shape();
    Documents documents = slice.documents();
    int states = shape.keyColumns();
    int width = shape.valueWidth();
    ElementType type =
        switch (precision) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
        };
    StateScan sound =
        Scans.of(
            scan,
            ranks,
            new StateShape(type, shape.heads(), shape.keyWidth(), width),
            slice.rule().transitionKind(),
            BLOCKS,
            ScanCosts.USUAL);
    StateScan travel = seams.scan(sound, slice, ranks.index(), ranks.size());
    try (LinearAttention attention = seams.attention(kernel.apply(workers), slice)) {
      LinearTensors inputs = tensors(slice, input -> filled(arena, slice, input));
      LinearTensors gradients = tensors(slice, input -> poisoned(arena, slice, input));
      Matrix o = poisoned(arena, slice, Input.V);
      Matrix outputGradient = filled(arena, slice, Input.OUTPUT_GRADIENT);

      Matrix summary = Matrices.poisoned(arena, states, width);
      Matrix factors = Matrices.poisoned(arena, states, attention.transitionColumns());
      Matrix incoming = Matrices.filled(arena, slice.get(Input.INCOMING), 0, states, width);
      attention.summarize(inputs, documents, summary, factors);
      Transit forward = new Transit(arena, summary, factors, incoming);
      attention.forward(
          inputs,
          () -> {
            forward.scan(travel, ScanDirection.FORWARD, slice);
            return incoming;
          },
          documents,
          o);

      Matrix gradientSummary = Matrices.poisoned(arena, states, width);
      Matrix incomingGradient =
          Matrices.filled(arena, slice.get(Input.FINAL_GRADIENT), 0, states, width);
      attention.summarizeGradient(inputs, outputGradient, documents, gradientSummary);
      Transit backward = new Transit(arena, gradientSummary, factors, incomingGradient);
      attention.backward(
          inputs,
          outputGradient,
          incoming,
          () -> {
            backward.scan(travel, ScanDirection.BACKWARD, slice);
            return incomingGradient;
          },
          documents,
          gradients);

      AttentionResult result = new AttentionResult();
      result.put(Part.O, Matrices.numbers(o));
      result.put(Part.DQ, Matrices.numbers(gradients.q()));
      result.put(Part.DK, Matrices.numbers(gradients.k()));
      result.put(Part.DV, Matrices.numbers(gradients.v()));
      result.put(Part.DGATES, numbers(gradients.gates()));
      result.put(Part.DBETA, numbers(gradients.beta()));
      result.put(Part.FINAL_STATE, forward.after(ScanDirection.FORWARD, slice));
      result.put(Part.INCOMING_GRADIENT, backward.after(ScanDirection.BACKWARD, slice));
      return result;
    }
  }

  private static LinearTensors tensors(AttentionCase slice, Function<Input, Matrix> make) {
    return new LinearTensors(
        make.apply(Input.Q),
        make.apply(Input.K),
        make.apply(Input.V),
        slice.columns(Input.GATES) == 0 ? null : make.apply(Input.GATES),
        slice.columns(Input.BETA) == 0 ? null : make.apply(Input.BETA));
  }

  private static Matrix filled(Arena arena, AttentionCase slice, Input input) {
    int tokens = slice.documents().tokens();
    return Matrices.filled(arena, slice.get(input), 0, tokens, slice.columns(input));
  }

  private static Matrix poisoned(Arena arena, AttentionCase slice, Input input) {
    return Matrices.poisoned(arena, slice.documents().tokens(), slice.columns(input));
  }

  private static double[] numbers(Matrix matrix) {
    return matrix == null ? new double[0] : Matrices.numbers(matrix);
  }

  /**
   * A state on its way through a slice. Scans take whole rows, so it is copied for them.
   *
   * @param incoming holds the state before everything, where the slice is the direction's first;
   *     receives the state before the slice
   */
  private record Transit(Arena arena, Matrix summary, Matrix factors, Matrix incoming) {
    void scan(StateScan scan, ScanDirection direction, AttentionCase slice) {
      Matrix given = whole(incoming);
      ScanPiece piece =
          new ScanPiece(
              whole(summary).bytes(),
              new Transition(slice.rule().transitionKind(), whole(factors).bytes()),
              given.bytes());
      scan.scan(direction, List.of(piece));
      incoming.set(given);
    }

    private Matrix whole(Matrix view) {
      Matrix whole = arena.matrix(view.rows(), view.columns());
      whole.set(view);
      return whole;
    }

    double[] after(ScanDirection direction, AttentionCase slice) {
      return StateStep.after(direction, slice.shape(), factors, incoming, summary);
    }
  }
}
