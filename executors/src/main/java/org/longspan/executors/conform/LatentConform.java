package org.longspan.executors.conform;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.NamedTensor;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.LatentAttention;
import org.longspan.executors.latent.LatentMemory;
import org.longspan.executors.latent.LatentNames;
import org.longspan.executors.latent.LatentPlace;
import org.longspan.executors.latent.LatentPlan;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Rank;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** A conformance run of latent attention, from its input to its output, over a mesh of ranks. */
final class LatentConform {
  private static final int SEQUENCE = 1;
  private static final int TENSOR = 2;

  private final ConformOptions options;
  private final LatentInput given;
  private final Mesh mesh;
  private final List<Slice> slices;
  private final Matrix u;
  private final Matrix dx;
  private final List<LatentWeights> gradients;

  private LatentConform(ConformOptions options, LatentInput given, Arena arena) {
    this.options = options;
    this.given = given;
    this.mesh = new Mesh(1, options.ranks(), options.tensor());
    BlockGrid grid = new BlockGrid(given.tokens(), options.chunk());
    this.slices =
        IntStream.range(0, options.ranks())
            .mapToObj(place -> grid.slice(place, options.ranks()))
            .toList();
    this.u = arena.matrix(given.tokens(), given.shape().width());
    this.dx = arena.matrix(given.tokens(), given.shape().width());
    this.gradients = new ArrayList<>();
    for (int rank = 0; rank < mesh.size(); rank++) {
      gradients.add(LatentWeights.whole(given.shape(), arena));
    }
  }

  /** Reads the case, runs it, writes the results. */
  static void run(ConformOptions options) throws IOException {
    try (Arena arena = new Arena("of the case", options.precision())) {
      LatentInput given = LatentInput.read(options, arena);
      given
          .shape()
          .obstacle(options.tensor())
          .ifPresent(
              obstacle -> {
                throw new InvalidInputException(
                    "--tensor is " + options.tensor() + "; " + obstacle + ".");
              });
      LatentConform run = new LatentConform(options, given, arena);
      LocalRanks.run(
          Conform.transports(options),
          transport -> {
            run.rank(transport);
            return null;
          });
      run.write();
    }
  }

  private void rank(Transport transport) {
    Rank rank = mesh.rank(transport.rank());
    try (Communicator sequence = Communicator.over(transport, mesh.sequenceGroup(rank), SEQUENCE);
        Communicator tensor = Communicator.over(transport, mesh.tensorGroup(rank), TENSOR);
        Workers workers = new Workers(1);
        Arena own = new Arena("of rank " + transport.rank(), options.precision());
        LatentAttention attention =
            new LatentAttention(
                given.shape(),
                new LatentPlace(
                        sequence,
                        tensor,
                        Numerics.of(options.precision()),
                        workers,
                        LatentMemory.of(own),
                        Math.toIntExact(slices.get(rank.sequence()).length()),
                        options.chunk())
                    .computing(options.kernel()))) {
      Slice slice = slices.get(rank.sequence());
      Documents documents = Conform.documents(given.documents(), slice, 0);
      attention.accept(
          LatentPlan.gathered(sequence, slices, documents, LatentPlan.Sharing.BALANCED));
      LatentWeights weights = given.weights().of(attention.share());
      LatentWeights ofRank = gradients.get(rank.number()).of(attention.share());
      Matrix x = given.x().rows(slice.start(), slice.end());
      Matrix outputGradient = given.outputGradient().rows(slice.start(), slice.end());
      Matrix output = own.matrix(slice.length(), given.shape().width());
      attention.project(0, x, weights);
      attention.attend(weights);
      attention.join(0, output, weights);
      tensor.allReduce(output.bytes(), elementType());
      attention.joinGradient(0, outputGradient, weights, ofRank);
      attention.attendGradient(weights, () -> ofRank);
      Matrix inputGradient = own.matrix(slice.length(), given.shape().width());
      attention.projectGradient(0, x, inputGradient, weights, ofRank);
      if (rank.tensor() == 0) {
        u.rows(slice.start(), slice.end()).set(output);
        dx.rows(slice.start(), slice.end()).set(inputGradient);
      }
    }
  }

  private ElementType elementType() {
    return switch (options.precision()) {
      case FLOAT -> ElementType.FLOAT;
      case DOUBLE -> ElementType.DOUBLE;
    };
  }

  private void write() throws IOException {
    List<Long> rows = List.of((long) given.tokens(), (long) given.shape().width());
    List<NamedTensor> tensors = new ArrayList<>();
    tensors.add(new NamedTensor("u", rows, u));
    tensors.add(new NamedTensor("dx", rows, dx));
    Map<String, List<Long>> shapes = LatentInput.shapes(given.shape());
    sums().forEach((name, sum) -> tensors.add(new NamedTensor("d" + name, shapes.get(name), sum)));
    Conform.write(
        options,
        tensors,
        Map.of(
            "tensor",
            Integer.toString(options.tensor()),
            "form",
            LatentNames.of(given.shape().form())));
  }

  /** The gradients over all ranks, each part once. */
  private Map<String, Matrix> sums() {
    Numerics numerics = Numerics.of(options.precision());
    Map<String, Matrix> sums = new LinkedHashMap<>(gradients.get(0).named());
    for (int number = 1; number < mesh.size(); number++) {
      Rank rank = mesh.rank(number);
      gradients
          .get(number)
          .named()
          .forEach(
              (name, part) -> {
                boolean isAnotherOfTheSame =
                    LatentWeights.isCompleteOnEachRank(given.shape().form(), name)
                        && rank.tensor() > 0;
                if (!isAnotherOfTheSame) {
                  numerics.rows().add(part, sums.get(name));
                }
              });
    }
    return sums;
  }
}
