package org.longspan.executors.layer;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which of a parameter's rows, or columns, a rank holds.
 *
 * @param whole how many the parameter has
 * @param held those that are here, one span after another
 */
public record Side(int whole, List<Span> held) {
  public Side {
    held = List.copyOf(held);
    for (Span span : held) {
      if (span.to() > whole) {
        throw new IllegalArgumentException(span + " of " + whole);
      }
    }
  }

  /** All of them. */
  public static Side all(int whole) {
    return new Side(whole, List.of(new Span(0, whole)));
  }

  /** Some of them. */
  public static Side some(int whole, Span... held) {
    return new Side(whole, Arrays.asList(held));
  }

  /** How many are here. */
  public int size() {
    return held.stream().mapToInt(Span::length).sum();
  }

  /** For each that is here, in order, its number in the whole parameter. */
  public int[] numbers() {
    return held.stream().flatMapToInt(span -> IntStream.range(span.from(), span.to())).toArray();
  }
}
