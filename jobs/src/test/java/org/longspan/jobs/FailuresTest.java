package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class FailuresTest {
  private final StringWriter errors = new StringWriter();

  @Test
  void shouldPrintAMistakeAsItIs() {
    assertThat(run(new InvalidInputException("The file a.txt is empty"))).isEqualTo(2);
    assertThat(errors).hasToString("work: The file a.txt is empty.\n");
  }

  @Test
  void shouldWriteLocalPathsAsPeopleDo() {
    run(new InvalidInputException("Dataset file:/data/a and hdfs://host/b"));
    assertThat(errors).hasToString("work: Dataset /data/a and hdfs://host/b.\n");
  }

  @Test
  void shouldFindAMistakeInsideOfAnotherException() {
    assertThat(run(new IllegalStateException("Job aborted", new InvalidInputException("No text."))))
        .isEqualTo(2);
    assertThat(errors).hasToString("work: No text.\n");
  }

  @Test
  void shouldNameTheDeepestCauseOfAFailureOnOneLine() {
    assertThat(
            run(
                new IllegalStateException(
                    "Job aborted\n\tat somewhere\n", new OutOfMemoryError("No space for 3 GB\nx"))))
        .isEqualTo(1);
    assertThat(errors)
        .hasToString("work failed: OutOfMemoryError: No space for 3 GB; --verbose shows more.\n");
  }

  @Test
  void shouldNameAFailureWithoutAMessage() {
    assertThat(run(new UnsupportedOperationException())).isEqualTo(1);
    assertThat(errors)
        .hasToString("work failed: UnsupportedOperationException; --verbose shows more.\n");
  }

  private int run(Exception failure) {
    return new CommandLine(new Work(failure))
        .setErr(new PrintWriter(errors, true))
        .setExecutionExceptionHandler(new Failures())
        .execute();
  }

  @Command(name = "work")
  private static final class Work implements Callable<Integer> {
    private final Exception failure;

    private Work(Exception failure) {
      this.failure = failure;
    }

    @Override
    public Integer call() throws Exception {
      throw failure;
    }
  }
}
