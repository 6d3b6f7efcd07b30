package org.longspan.driver.progress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.OptionalDouble;
import org.longspan.executors.train.RankEvent;

/**
 * One optimizer step as {@code run.jsonl} holds it. Numbers that are not finite are {@code null} in
 * JSON and NaN here.
 *
 * @param step counted from 1
 * @param loss mean over the step's predicted tokens, in nats
 * @param tokens that the step went through, over all ranks
 * @param seconds that the step took
 * @param gradientNorm before clipping
 * @param validationLoss in nats, where the model was validated after this step
 */
public record StepRecord(
    long step,
    double loss,
    long tokens,
    double seconds,
    double gradientNorm,
    double learningRate,
    OptionalDouble validationLoss)
    implements LogEntry {
  static StepRecord of(RankEvent.Step event) {
    return new StepRecord(
        event.step(),
        event.loss(),
        event.tokens(),
        event.seconds(),
        event.gradientNorm(),
        event.learningRate(),
        OptionalDouble.empty());
  }

  /** The event that told of the step. */
  public RankEvent.Step event() {
    return new RankEvent.Step(step, loss, tokens, seconds, gradientNorm, learningRate);
  }

  StepRecord validated(double validationLoss) {
    return new StepRecord(
        step, loss, tokens, seconds, gradientNorm, learningRate, OptionalDouble.of(validationLoss));
  }

  double tokensPerSecond() {
    return seconds > 0 ? tokens / seconds : Double.NaN;
  }

  @Override
  public String json() {
    ObjectNode node = JSON.createObjectNode();
    node.put("step", step);
    put(node, "loss", loss);
    node.put("tokens", tokens);
    put(node, "tokens_per_second", tokensPerSecond());
    put(node, "seconds", seconds);
    put(node, "gradient_norm", gradientNorm);
    put(node, "learning_rate", learningRate);
    validationLoss.ifPresent(value -> put(node, "validation_loss", value));
    return node.toString();
  }

  static StepRecord of(JsonNode node) {
    return new StepRecord(
        node.path("step").asLong(),
        node.path("loss").asDouble(Double.NaN),
        node.path("tokens").asLong(),
        node.path("seconds").asDouble(Double.NaN),
        node.path("gradient_norm").asDouble(Double.NaN),
        node.path("learning_rate").asDouble(Double.NaN),
        node.has("validation_loss")
            ? OptionalDouble.of(node.path("validation_loss").asDouble(Double.NaN))
            : OptionalDouble.empty());
  }

  private static void put(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }
}
