package org.longspan.executors.bench.kernel;

import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.layer.Span;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Linear attention over one document that began before the slice. */
final class LinearCase extends KernelCase {
  private static final int EARLIER = 1;

  private final Documents documents;
  private final LinearAttention attention;
  private final LinearTensors inputs;
  private final LinearTensors gradients;
  private final Matrix o;
  private final Matrix outputGradient;
  private final Matrix incoming;

  LinearCase(
      BenchedKernel kernel,
      AttentionShape shape,
      int tokens,
      KernelChoice choice,
      Workers workers) {
    super(shape);
    MixerKind mixer = MixerKind.valueOf(kernel.name());
    LinearRule rule = LinearRule.of(mixer);
    int heads = shape.heads();
    int width = shape.keyColumns();
    this.documents = Documents.one(tokens, EARLIER);
    this.attention =
        rule.attention(
            choice,
            Precision.FLOAT,
            new BlockShape(mixer, width, heads, 0, 0, 0, 0, 2, null),
            new Span(0, heads),
            BenchedKernel.CHUNK,
            workers);
    int gateColumns = rule.gateColumns(width, heads);
    int betaColumns = rule.betaColumns(heads);
    boolean isDelta = betaColumns > 0;
    this.inputs =
        new LinearTensors(
            keys(isDelta, tokens),
            keys(isDelta, tokens),
            numbers(tokens, shape.valueColumns(), -1, 1),
            gateColumns == 0 ? null : numbers(tokens, gateColumns, -0.1, 0),
            isDelta ? numbers(tokens, betaColumns, 0, 1) : null);
    this.gradients =
        new LinearTensors(
            zeros(tokens, width),
            zeros(tokens, width),
            zeros(tokens, shape.valueColumns()),
            gateColumns == 0 ? null : zeros(tokens, gateColumns),
            isDelta ? zeros(tokens, betaColumns) : null);
    this.o = zeros(tokens, shape.valueColumns());
    this.outputGradient = numbers(tokens, shape.valueColumns(), -1, 1);
    this.incoming = numbers(width, shape.valueWidth(), -1, 1);
  }

  private Matrix keys(boolean isDelta, int tokens) {
    return isDelta
        ? unitNumbers(tokens, shape().heads(), shape().keyWidth())
        : numbers(tokens, shape().keyColumns(), -1, 1);
  }

  @Override
  void run(KernelPass pass) {
    switch (pass) {
      case FORWARD -> attention.forward(inputs, documents, o);
      case BACKWARD -> attention.backward(inputs, outputGradient, incoming, documents, gradients);
    }
  }

  @Override
  String description() {
    return attention.description();
  }

  @Override
  AutoCloseable attention() {
    return attention;
  }

  @Override
  public void close() {
    attention.close();
    super.close();
  }
}
