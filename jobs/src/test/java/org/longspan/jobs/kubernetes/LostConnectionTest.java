package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server that closes connections without an answer when it is asked to delete something. */
class LostConnectionTest {
  private static final String KINDS =
      """
      {"kind": "APIResourceList", "groupVersion": "%s", "resources": [
        {"name": "sparkapplications", "kind": "SparkApplication", "namespaced": true,
         "singularName": "", "verbs": ["get", "create", "delete"]},
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": true,
         "singularName": "", "verbs": ["get", "create", "delete"]}]}
      """;

  @TempDir Path folder;
  private final AtomicInteger losses = new AtomicInteger();
  private final List<String> deleted = new ArrayList<>();
  private final List<String> news = new ArrayList<>();
  private HttpServer server;
  private String kubeconfig;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
    kubeconfig =
        System.setProperty(
            "kubeconfig",
            Files.writeString(
                    folder.resolve("kubeconfig"),
                    RealApiServer.kubeconfig(
                        "http://127.0.0.1:" + server.getAddress().getPort(), "token"))
                .toString());
  }

  @AfterEach
  void stop() {
    if (kubeconfig == null) {
      System.clearProperty("kubeconfig");
    } else {
      System.setProperty("kubeconfig", kubeconfig);
    }
    server.stop(0);
  }

  @Test
  void shouldDeleteOnAnotherConnection() {
    losses.set(1);
    assertThatThrownBy(this::followFailedRun)
        .isInstanceOf(RunFailure.class)
        .hasMessage("The run first failed on the cluster (FAILED): no luck");
    assertThat(deleted).containsExactly("first", "first-configuration");
  }

  @Test
  void shouldTellTheFailureAlsoWhereNothingCanBeDeleted() {
    losses.set(Integer.MAX_VALUE);
    assertThatThrownBy(this::followFailedRun)
        .isInstanceOf(RunFailure.class)
        .hasMessage("The run first failed on the cluster (FAILED): no luck");
    assertThat(news.get(news.size() - 1))
        .startsWith("What was created of first could not be deleted: The Kubernetes API server");
  }

  private void followFailedRun() throws InterruptedException {
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      Submission submission =
          new Submission(
              cluster,
              Runs.named("first", Operator.KUBEFLOW),
              news::add,
              OutputStream.nullOutputStream());
      submission.create();
      submission.await();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    Path path = Path.of(exchange.getRequestURI().getPath());
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    switch (exchange.getRequestMethod()) {
      case "POST" -> send(exchange, body);
      case "DELETE" -> {
        if (losses.getAndDecrement() > 0) {
          exchange.close();
        } else {
          deleted.add(path.getFileName().toString());
          send(exchange, "{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Success\"}");
        }
      }
      default -> send(exchange, read(path));
    }
  }

  private static String read(Path path) {
    String version = Operator.KUBEFLOW.apiVersion();
    if (path.endsWith("pods")) {
      return "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"items\": []}";
    }
    if (path.endsWith("first")) {
      return """
      {"kind": "SparkApplication", "apiVersion": "%s", "metadata": {"name": "first"},
       "status": {"applicationState": {"state": "FAILED", "errorMessage": "no luck"}}}
      """
          .formatted(version);
    }
    return KINDS.formatted(path.endsWith("v1") ? "v1" : version);
  }

  private static void send(HttpExchange exchange, String json) throws IOException {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(bytes);
    }
  }
}
