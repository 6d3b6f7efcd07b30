package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CrossCheckCommandTest {
  @Test
  void shouldShowAnExample() {
    CommandRunner help = CommandRunner.run("crosscheck", "--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.output()).contains("Example", "  longspan crosscheck");
    assertThat(help.output().lines()).allMatch(line -> line.length() <= 80);
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    CommandRunner none = run("--ranks", "0");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.errors()).contains("--ranks is 0; it takes 1 or more.");
    CommandRunner wide = run("--kernel", "aparapi", "--precision", "double");
    assertThat(wide.exitCode()).isEqualTo(2);
    assertThat(wide.errors()).contains("--kernel aparapi computes in float");
  }

  private static CommandRunner run(String... more) {
    String[] arguments = new String[7 + more.length];
    System.arraycopy(
        new String[] {"crosscheck", "--checkpoint", "c", "--data", "d", "--output", "o"},
        0,
        arguments,
        0,
        7);
    System.arraycopy(more, 0, arguments, 7, more.length);
    return CommandRunner.run(arguments);
  }
}
