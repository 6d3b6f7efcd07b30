package org.longspan.executors.train;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.DecoderBlock;
import org.longspan.executors.layer.LanguageModelHead;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.Parameters;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.layer.TokenEmbedding;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

/**
 * What a rank of a run will hold outside the heap, in bytes, before there is such a rank: the same
 * layers are laid out over an arena that counts and takes nothing.
 *
 * @param layers of the arena: what layers keep for the backward, and the scratch that they share
 * @param activations that DL4J's graph holds: an output of each layer and one gradient
 * @param parameters with their gradients and both moments of the optimizer
 * @param messages that may wait to be sent or read: a gradient that travels, on more ranks than one
 */
public record RankMemory(long layers, long activations, long parameters, long messages) {
  /** Weights, gradients, first and second moments. */
  private static final int FORMS_OF_A_PARAMETER = 4;

  /**
   * That of the largest slice of a run.
   *
   * @param shape of the model
   * @param sequenceLength tokens in the longest sequence
   * @param threads of the rank
   */
  public static RankMemory of(
      RunConfiguration configuration, ModelShape shape, int sequenceLength, int threads) {
    Numerics numerics = Numerics.of(configuration.get(Options.PRECISION));
    int ranks = configuration.get(Options.MESH_SEQUENCE);
    int tensors = configuration.get(Options.MESH_TENSOR);
    int capacity = RankSetup.capacity(sequenceLength, ranks, RankSetup.BLOCK);
    Precision precision = numerics.precision();
    // The last one of those that share a model has the most of it.
    int place = tensors - 1;
    List<Integer> everyone = IntStream.range(0, tensors).boxed().toList();
    Transport transport = InProcessTransport.connect(tensors, Duration.ofSeconds(1)).get(place);
    try (transport;
        Workers workers = new Workers(threads);
        Communicator sequence = Communicator.over(transport, List.of(place), 1);
        Communicator tensor = Communicator.over(transport, everyone, 2);
        RankEnvironment environment =
            new RankEnvironment(
                numerics,
                workers,
                sequence,
                tensor,
                RankSetup.mode(
                    // Devices have their own memory, and stage in the heap.
                    configuration.with(Options.KERNEL, KernelChoice.CPU), ScanCosts.USUAL),
                capacity,
                RankSetup.BLOCK,
                Arena.counting("of a plan", precision))) {
      long numbers = layOut(environment, shape);
      if (configuration.get(Options.DATA_BATCH) * configuration.get(Options.TRAIN_ACCUMULATE)
          > configuration.get(Options.MESH_DATA)) {
        environment.arena().matrix(numbers, 1);
      }
      long bytes = precision.bytes();
      long outputs = shape.layers() + 2L;
      boolean single = ranks * tensors * configuration.get(Options.MESH_DATA) == 1;
      return new RankMemory(
          environment.arena().bytes(),
          (outputs * shape.width() + 1) * capacity * bytes,
          FORMS_OF_A_PARAMETER * numbers * bytes,
          single ? 0 : numbers * bytes);
    }
  }

  /** All of it. */
  public long bytes() {
    return layers + activations + parameters + messages;
  }

  /** Builds every layer and gives the number of parameters. */
  private static long layOut(RankEnvironment environment, ModelShape shape) {
    long numbers = 0;
    TensorPlace place = environment.place();
    numbers +=
        parameters(
            environment, TokenEmbedding.parameters(shape.vocabulary(), shape.width(), place));
    for (int layer = 0; layer < shape.layers(); layer++) {
      numbers += parameters(environment, DecoderBlock.parameters(shape.block(layer), place));
      new DecoderBlock(environment, shape.block(layer)).close();
    }
    numbers +=
        parameters(
            environment, LanguageModelHead.parameters(shape.vocabulary(), shape.width(), place));
    built(new LanguageModelHead(environment, shape.vocabulary(), shape.width()));
    return numbers;
  }

  /** The sums that a layer of such parameters makes room for. */
  private static long parameters(RankEnvironment environment, List<ParameterShape> shapes) {
    // The values and gradients themselves are DL4J's.
    Arena elsewhere = Arena.counting("of DL4J", environment.numerics().precision());
    List<Matrix> forms = new ArrayList<>();
    long numbers = 0;
    for (ParameterShape shape : shapes) {
      forms.add(elsewhere.matrix(shape.rows(), shape.columns()));
      numbers += shape.rows() * (long) shape.columns();
    }
    built(new Parameters(environment, shapes, forms, forms));
    return numbers;
  }

  /** What it asked of the arena while it was made is all that is wanted of it. */
  private static void built(Object layer) {
    Objects.requireNonNull(layer);
  }
}
