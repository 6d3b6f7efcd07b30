package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LineTailTest {
  private final LineTail tail = new LineTail();

  @Test
  void shouldTellEachLineOnceWhileTheWindowMoves() {
    assertThat(tail.news(List.of("a", "b"))).containsExactly("a", "b");
    assertThat(tail.news(List.of("a", "b"))).isEmpty();
    assertThat(tail.news(List.of("a", "b", "c"))).containsExactly("c");
    assertThat(tail.news(List.of("b", "c", "d"))).containsExactly("d");
    assertThat(tail.news(List.of("x", "y"))).containsExactly("x", "y");
    assertThat(tail.news(List.of())).isEmpty();
  }

  @Test
  void shouldCountEqualLines() {
    tail.news(List.of("a", "a"));
    assertThat(tail.news(List.of("a", "a", "a"))).containsExactly("a");
  }
}
