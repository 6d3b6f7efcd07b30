package org.longspan.jobs.livy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers as Livy does, and misbehaves on demand. What each look at a batch gets is a script: one
 * act a look, the last one for ever.
 */
final class FakeLivy implements AutoCloseable {
  /** What happens at one look at a batch. */
  interface Act {
    void play(FakeLivy livy, HttpExchange exchange) throws IOException;
  }

  static final Act STARTING = state("starting", null);
  static final Act RUNNING = state("running", "app-1");
  static final Act SUCCESS = state("success", "app-1");
  static final Act DEAD = state("dead", "app-1");
  static final Act GONE = (livy, exchange) -> answer(exchange, 404, "{\"msg\":\"not found\"}");

  /** Only what stands before Livy answers. */
  static final Act AWAY = (livy, exchange) -> answer(exchange, 503, "<html>nobody</html>");

  /** The number is another batch's now. */
  static final Act ANOTHER =
      (livy, exchange) -> answer(exchange, 200, livy.view("somebody-else", "running", "app-2"));

  private static final ObjectMapper JSON = new ObjectMapper();

  final List<String> deleted = new CopyOnWriteArrayList<>();
  final List<JsonNode> submitted = new CopyOnWriteArrayList<>();
  final List<String> requestedBy = new CopyOnWriteArrayList<>();
  final List<String> output = new CopyOnWriteArrayList<>();
  final List<String> errors = new CopyOnWriteArrayList<>();

  /** Whether the answer to a submission is lost, the batch being there. */
  volatile boolean submissionAnswerLost;

  /** Status and text of every answer to a submission; 0 for the usual one. */
  volatile int refusal;

  volatile String refusalText = "";

  /** Whether a refused batch is there all the same. */
  volatile boolean keepsRefused;

  private final List<Act> script;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ConcurrentHashMap<String, String> names = new ConcurrentHashMap<>();
  private int looks;

  FakeLivy(Act... script) throws IOException {
    this.script = new ArrayList<>(List.of(script));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** An act that does {@code more} before it. */
  static Act after(Runnable more, Act act) {
    return (livy, exchange) -> {
      more.run();
      act.play(livy, exchange);
    };
  }

  private static Act state(String state, String applicationId) {
    return (livy, exchange) ->
        answer(exchange, 200, livy.view(livy.names.get("0"), state, applicationId));
  }

  private String view(String name, String state, String applicationId) {
    ObjectNode node = JSON.createObjectNode();
    node.put("id", 0).put("name", name).put("state", state).put("appId", applicationId);
    return node.toString();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    requestedBy.add(String.valueOf(exchange.getRequestHeaders().getFirst("X-Requested-By")));
    String request = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    switch (exchange.getRequestMethod() + " " + path) {
      case "POST /batches" -> submit(exchange, request);
      case "GET /batches" ->
          answer(
              exchange,
              200,
              names.isEmpty()
                  ? "{\"sessions\":[]}"
                  : "{\"sessions\":[" + view(names.get("0"), "running", null) + "]}");
      case "GET /batches/0" -> act().play(this, exchange);
      case "GET /batches/0/log" -> log(exchange);
      case "DELETE /batches/0" -> {
        deleted.add("0");
        answer(exchange, 200, "{\"msg\":\"deleted\"}");
      }
      default -> answer(exchange, 404, "{\"msg\":\"no such thing\"}");
    }
  }

  private synchronized Act act() {
    Act act = script.get(Math.min(looks, script.size() - 1));
    looks++;
    return act;
  }

  private void submit(HttpExchange exchange, String request) throws IOException {
    JsonNode node = JSON.readTree(request);
    if (refusal != 0) {
      if (keepsRefused) {
        names.put("0", node.path("name").asText());
      }
      answer(exchange, refusal, refusalText);
      return;
    }
    submitted.add(node);
    names.put("0", node.path("name").asText());
    if (submissionAnswerLost) {
      exchange.close();
    } else {
      answer(exchange, 201, view(names.get("0"), "starting", null));
    }
  }

  private void log(HttpExchange exchange) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    var lines = node.putArray("log");
    lines.add("stdout: ");
    output.forEach(lines::add);
    // A real Livy joins the driver's two streams, and lists them here.
    errors.forEach(lines::add);
    lines.add("\nstderr: ");
    answer(exchange, 200, node.toString());
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
