package org.longspan.executors.bench.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;

/**
 * The process of one rank. From its standard input it reads the job's secret, then the ports of all
 * ranks; where that ends, its parent has, and so does it.
 */
final class RankProcess {
  /** Where all ranks of this machine listen. */
  static final String HOST = "127.0.0.1";

  private static final int ORPHANED = 3;

  private final PrintStream parent;
  private final BufferedReader orders;

  private RankProcess(PrintStream parent, BufferedReader orders) {
    this.parent = parent;
    this.orders = orders;
  }

  /**
   * What {@link RankChild} starts it with: rank, ranks, protection, time limit, body, its
   * arguments.
   */
  public static void main(String[] arguments) {
    PrintStream parent = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // What libraries print is nothing for the parent.
    System.setOut(System.err);
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    RankProcess process = new RankProcess(parent, orders);
    try {
      process.run(List.of(arguments));
    } catch (Throwable failure) {
      process.say(ParentLine.Kind.FAILURE, sentence(failure));
      // The connections stay, so that no other rank reports that it has lost this one.
      process.awaitParentsEnd();
    }
    process.say(ParentLine.Kind.DONE, "");
    System.exit(0);
  }

  private void run(List<String> arguments) throws Exception {
    int rank = Integer.parseInt(arguments.get(0));
    int ranks = Integer.parseInt(arguments.get(1));
    Protection protection = Protection.valueOf(arguments.get(2));
    Duration timeLimit = Duration.parse(arguments.get(3));
    RankBody body =
        Class.forName(arguments.get(4))
            .asSubclass(RankBody.class)
            .getDeclaredConstructor()
            .newInstance();
    List<String> ofBody = arguments.subList(5, arguments.size());
    String secret = order();
    // Closed by the process's end where the rank fails.
    NetworkTransport transport =
        NetworkTransport.bind(RankProcess.class.getName(), secret, HOST, timeLimit, protection);
    say(ParentLine.Kind.PORT, Integer.toString(transport.port()));
    List<InetSocketAddress> addresses = addresses(order());
    if (addresses.size() != ranks) {
      throw new IOException(addresses.size() + " ports of " + ranks + " ranks");
    }
    endWithParent();
    transport.connect(rank, 0, addresses);
    body.run(transport, ofBody, line -> say(ParentLine.Kind.RESULT, line));
    transport.close();
  }

  private String order() throws IOException {
    String line = orders.readLine();
    if (line == null) {
      Runtime.getRuntime().halt(ORPHANED);
    }
    return line;
  }

  private static List<InetSocketAddress> addresses(String ports) {
    return Arrays.stream(ports.split(" ", -1))
        .map(port -> InetSocketAddress.createUnresolved(HOST, Integer.parseInt(port)))
        .toList();
  }

  private void endWithParent() {
    Thread watch = new Thread(this::awaitParentsEnd, "longspan-parent-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /** Ends this process when its standard input ends, however its parent may have ended. */
  private void awaitParentsEnd() {
    try {
      orders.transferTo(Writer.nullWriter());
    } catch (IOException theParentIsLost) {
      Runtime.getRuntime().halt(ORPHANED);
    }
    Runtime.getRuntime().halt(ORPHANED);
  }

  private void say(ParentLine.Kind kind, String text) {
    synchronized (parent) {
      parent.println(new ParentLine(kind, text).written());
    }
  }

  private static String sentence(Throwable failure) {
    String message = failure.getMessage();
    return message == null || message.isBlank() ? failure.toString() : message;
  }
}
