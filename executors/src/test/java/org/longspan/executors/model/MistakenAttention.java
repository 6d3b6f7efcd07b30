package org.longspan.executors.model;

import org.longspan.executors.kernel.AttentionCase;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.StateStep;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.ScanDirection;

/** A rank's attention that goes wrong where its slice meets others. */
final class MistakenAttention implements LinearAttention {
  /** What it does wrong. */
  enum Mistake {
    TRANSITION_DECAYED_ONCE_MORE,
    TRANSITION_DECAYED_ONCE_LESS,
    /** {@code rowsum(S ⊙ dS)} at the slice's end does not come to the gates' gradient. */
    STATE_MISSING_FROM_THE_GATES,
    /** The delta rule's transition is what the gates alone make of a state. */
    PLAIN_DECAY_AS_TRANSITION,
    /** A state comes to what is put out after a document has started. */
    LEAKING_INTO_OUTPUTS,
    /** A state passes a slice in which a document starts. */
    LEAKING_THROUGH_THE_SLICE;

    boolean concerns(LinearRule rule) {
      return switch (this) {
        case STATE_MISSING_FROM_THE_GATES -> rule != LinearRule.CONSTANT;
        case PLAIN_DECAY_AS_TRANSITION -> rule == LinearRule.DELTA;
        case TRANSITION_DECAYED_ONCE_MORE,
            TRANSITION_DECAYED_ONCE_LESS,
            LEAKING_INTO_OUTPUTS,
            LEAKING_THROUGH_THE_SLICE ->
            true;
      };
    }

    /** Whether it shows where documents start only. */
    boolean leaks() {
      return this == LEAKING_INTO_OUTPUTS || this == LEAKING_THROUGH_THE_SLICE;
    }
  }

  private final LinearAttention sound;
  private final AttentionCase slice;
  private final Mistake mistake;

  MistakenAttention(LinearAttention sound, AttentionCase slice, Mistake mistake) {
    this.sound = sound;
    this.slice = slice;
    this.mistake = mistake;
  }

  private static Documents runTogether(Documents documents) {
    return Documents.one(documents.tokens(), 1);
  }

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    if (mistake == Mistake.LEAKING_THROUGH_THE_SLICE) {
      sound.summarize(inputs, runTogether(documents), summary, transition);
      try (Arena arena = new Arena("without a transition", transition.precision())) {
        Matrix unused = arena.matrix(transition.rows(), transition.columns());
        sound.summarize(inputs, documents, summary, unused);
      }
      return;
    }
    sound.summarize(inputs, documents, summary, transition);
    for (int row = 0; row < transition.rows(); row++) {
      for (int column = 0; column < transition.columns(); column++) {
        transition.put(row, column, changed(transition.get(row, column), row, column));
      }
    }
  }

  private double changed(double factor, int row, int column) {
    return switch (mistake) {
      case TRANSITION_DECAYED_ONCE_MORE -> factor * slice.decay(0, row);
      case TRANSITION_DECAYED_ONCE_LESS -> factor / slice.decay(0, row);
      case PLAIN_DECAY_AS_TRANSITION ->
          row % slice.shape().keyWidth() == column ? decayOfAllTokens(row) : 0;
      case STATE_MISSING_FROM_THE_GATES, LEAKING_INTO_OUTPUTS, LEAKING_THROUGH_THE_SLICE -> factor;
    };
  }

  private double decayOfAllTokens(int row) {
    double decay = 1;
    for (int token = 0; token < slice.documents().tokens(); token++) {
      decay *= slice.decay(token, row);
    }
    return decay;
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    sound.forward(inputs, documents, o);
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    boolean isLeaking = mistake == Mistake.LEAKING_INTO_OUTPUTS;
    sound.addIncoming(inputs, incoming, isLeaking ? runTogether(documents) : documents, o);
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    sound.summarizeGradient(inputs, outputGradient, documents, summary);
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    sound.backward(inputs, outputGradient, incoming, documents, gradients);
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    sound.addIncomingGradient(inputs, incoming, incomingGradient, documents, gradients);
    if (mistake == Mistake.STATE_MISSING_FROM_THE_GATES) {
      takeFromGates(inputs, incoming, incomingGradient, documents, gradients.gates());
    }
  }

  /** Every gate of the slice gets what passes its end, unless a document starts in between. */
  private void takeFromGates(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      Matrix gates) {
    AttentionShape shape = slice.shape();
    try (Arena arena = new Arena("of a mistake", incoming.precision())) {
      Matrix summary = arena.matrix(incoming.rows(), incoming.columns());
      Matrix transition = arena.matrix(incoming.rows(), transitionColumns());
      sound.summarize(inputs, documents, summary, transition);
      double[] after = StateStep.after(ScanDirection.FORWARD, shape, transition, incoming, summary);
      for (int row = 0; row < incoming.rows(); row++) {
        double passing = 0;
        for (int column = 0; column < incoming.columns(); column++) {
          passing += after[row * incoming.columns() + column] * incomingGradient.get(row, column);
        }
        int place = gates.columns() == shape.heads() ? row / shape.keyWidth() : row;
        for (int token = 0; token < documents.tokens(); token++) {
          gates.put(token, place, gates.get(token, place) - passing);
        }
      }
    }
  }

  @Override
  public int transitionColumns() {
    return sound.transitionColumns();
  }

  @Override
  public String description() {
    return sound.description();
  }

  @Override
  public void close() {
    sound.close();
  }
}
