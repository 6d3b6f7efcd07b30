package org.longspan.executors.bench.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;

class ProcessRanksTest {
  private static final long PATIENCE_SECONDS = 60;

  @AfterEach
  void shouldLeaveNoProcess() {
    assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).isEmpty();
  }

  @Test
  void shouldGiveTheLinesOfEachRankInTheirOrder() {
    List<List<String>> lines =
        ProcessRanks.run(Greeting.class, List.of("hello", "two words"), settings(3));
    assertThat(lines).hasSize(3);
    for (int rank = 0; rank < 3; rank++) {
      int before = (rank + 2) % 3;
      assertThat(lines.get(rank))
          .hasSize(2)
          .startsWith("hello two words from " + before + " to " + rank);
    }
    assertThat(lines.stream().map(ofRank -> ofRank.get(1)))
        .doesNotContain(Long.toString(ProcessHandle.current().pid()))
        .doesNotHaveDuplicates();
  }

  /** Greets the next rank, and says its process. */
  public static final class Greeting implements RankBody {
    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results)
        throws Exception {
      new FileOutputStream(FileDescriptor.out)
          .write("What a library prints\n".getBytes(StandardCharsets.UTF_8));
      int size = transport.size();
      ByteBuffer number = ByteBuffer.allocate(Integer.BYTES).putInt(0, transport.rank());
      transport.send((transport.rank() + 1) % size, 0, 0, number);
      transport.receive((transport.rank() + size - 1) % size, 0, 0, number);
      results.accept(
          String.join(" ", arguments) + " from " + number.getInt(0) + " to " + transport.rank());
      results.accept(Long.toString(ProcessHandle.current().pid()));
    }
  }

  @Test
  void shouldNameTheRankThatFailsAndEndTheOthers() {
    assertThatThrownBy(() -> ProcessRanks.run(Failing.class, List.of(), settings(3)))
        .isInstanceOf(RankProcessException.class)
        .hasMessage("Rank 1 of 3 failed: The disk is full");
  }

  /** Fails on rank 1; the others wait for it. */
  public static final class Failing implements RankBody {
    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results) {
      if (transport.rank() == 1) {
        throw new IllegalStateException("The disk\n  is full");
      }
      transport.receive(1, 0, 0, ByteBuffer.allocate(1));
    }
  }

  @Test
  void shouldNameTheRankWhoseProcessEndsWithoutAWord() {
    assertThatThrownBy(() -> ProcessRanks.run(Halting.class, List.of(), settings(2)))
        .isInstanceOf(RankProcessException.class)
        .hasMessage("Rank 1 of 2's process ended too early, with exit code 7");
  }

  /** Rank 1 ends as if it had been killed, after a result; the other one waits without end. */
  public static final class Halting implements RankBody {
    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results)
        throws InterruptedException {
      if (transport.rank() == 1) {
        results.accept("a line");
        Runtime.getRuntime().halt(7);
      }
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  @Test
  void shouldGiveUpOnRanksThatDoNotSayWhereTheyListen() {
    assertThatThrownBy(
            () -> ProcessRanks.run(Silent.class, List.of(), settings(2, Duration.ofMillis(1500))))
        .isInstanceOf(RankProcessException.class)
        .hasMessage("Rank 0 of 2's process did not say within 1.5 s where it listens");
  }

  /** Never comes into being. */
  public static final class Silent implements RankBody {
    public Silent() throws InterruptedException {
      Thread.sleep(Long.MAX_VALUE);
    }

    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results) {}
  }

  @Test
  void shouldNameARankWhoseProcessEndsBeforeItListens() {
    assertThatThrownBy(() -> ProcessRanks.run(Stillborn.class, List.of(), settings(2)))
        .isInstanceOf(RankProcessException.class)
        .hasMessageMatching("Rank [01] of 2's process ended too early, with exit code 9");
  }

  /** Ends its process at once. */
  public static final class Stillborn implements RankBody {
    public Stillborn() {
      Runtime.getRuntime().halt(9);
    }

    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results) {}
  }

  @Test
  void shouldEndTheRanksWhenTheirParentIsKilled() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Parent.class.getName());
    Process parent = new ProcessBuilder(command).start();
    List<ProcessHandle> ranks = new ArrayList<>();
    try (BufferedReader errors = parent.errorReader(StandardCharsets.UTF_8)) {
      int asleep = 0;
      while (asleep < 2) {
        String line = errors.readLine();
        assertThat(line).isNotNull();
        asleep += line.equals(Sleeping.SENTENCE) ? 1 : 0;
      }
      parent.children().forEach(ranks::add);
      assertThat(ranks).hasSize(2);
    } finally {
      parent.destroyForcibly().waitFor();
    }
    for (ProcessHandle rank : ranks) {
      rank.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Runs ranks that do not end. */
  public static final class Parent {
    private Parent() {}

    public static void main(String[] arguments) {
      ProcessRanks.run(Sleeping.class, List.of(), settings(2));
    }
  }

  /** Says so on standard error and sleeps. */
  public static final class Sleeping implements RankBody {
    static final String SENTENCE = "A rank sleeps";

    @Override
    public void run(Transport transport, List<String> arguments, Consumer<String> results)
        throws InterruptedException {
      System.err.println(SENTENCE);
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  private static ProcessSettings settings(int ranks) {
    return settings(ranks, Duration.ofSeconds(PATIENCE_SECONDS));
  }

  private static ProcessSettings settings(int ranks, Duration timeLimit) {
    return new ProcessSettings(ranks, 64, 256, timeLimit, Protection.ENCRYPTED);
  }
}
