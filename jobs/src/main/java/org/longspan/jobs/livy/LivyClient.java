package org.longspan.jobs.livy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.longspan.datapipeline.InvalidInputException;

/**
 * A Livy server, asked over HTTP. Every request ends within twenty seconds.
 *
 * <p>Thread-safe.
 */
public final class LivyClient {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(15);
  private static final int NOT_FOUND = 404;

  /** More than Livy keeps of a batch's log, and than it keeps batches. */
  private static final int ALL = 100_000;

  /** Where the page that Jetty makes of an error holds its reason. */
  private static final Pattern PAGE = Pattern.compile("(?s)<pre>(.*?)</pre>");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI server;
  private final Optional<String> authorization;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_LIMIT)
          .followRedirects(HttpClient.Redirect.NORMAL)
          .build();

  private LivyClient(URI server, Optional<String> authorization) {
    this.server = server;
    this.authorization = authorization;
  }

  /**
   * The server at an address; it is not asked yet.
   *
   * @param url such as {@code http://host:8998}
   * @param authorization the header's whole value, such as {@code Bearer …}
   */
  public static LivyClient of(String url, Optional<String> authorization) {
    try {
      URI uri = URI.create(url.strip().replaceAll("/+$", ""));
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if (uri.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) {
        return new LivyClient(uri, authorization);
      }
    } catch (IllegalArgumentException noUri) {
      throw unusable(url, noUri);
    }
    throw unusable(url, null);
  }

  private static InvalidInputException unusable(String url, Throwable cause) {
    return new InvalidInputException(
        "--url is '" + url + "'; it takes Livy's address, such as http://livy.example:8998.",
        cause);
  }

  /** Where it is. */
  @Override
  public String toString() {
    return server.toString();
  }

  /** Has a batch started. */
  Batch submit(BatchRequest request) throws LivyAwayException {
    return Batch.of(
        require(send("POST", "/batches", BodyPublishers.ofString(request.json()), ANSWER_LIMIT)));
  }

  /** The batch with that number; empty where there is none. */
  Optional<Batch> batch(int id) throws LivyAwayException {
    return get("/batches/" + id).map(Batch::of);
  }

  /** The batch of that name; empty where there is none. */
  Optional<Batch> batch(String name) throws LivyAwayException {
    List<Batch> found = new ArrayList<>();
    for (JsonNode node : require(get("/batches?from=0&size=" + ALL)).path("sessions")) {
      Batch batch = Batch.of(node);
      if (batch.name().equals(name)) {
        found.add(batch);
      }
    }
    return found.stream().findFirst();
  }

  /** What is kept of the batch's log; empty where there is no such batch. */
  Optional<BatchLog> log(int id) throws LivyAwayException {
    return get("/batches/" + id + "/log?from=0&size=" + ALL)
        .map(answer -> BatchLog.of(answer.path("log")));
  }

  /** Ends the batch and makes Livy forget it; does nothing where there is none. */
  void delete(int id) throws LivyAwayException {
    send("DELETE", "/batches/" + id, BodyPublishers.noBody(), ANSWER_LIMIT);
  }

  private Optional<JsonNode> get(String path) throws LivyAwayException {
    return send("GET", path, BodyPublishers.noBody(), ANSWER_LIMIT);
  }

  private JsonNode require(Optional<JsonNode> answer) {
    return answer.orElseThrow(
        () ->
            new LivyRefusalException(
                server
                    + " answers, but not as Livy does: it knows no batches (404); --url takes"
                    + " Livy's address, with the path that a gateway gives it"));
  }

  private Optional<JsonNode> send(String method, String path, BodyPublisher body, Duration limit)
      throws LivyAwayException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server + path))
            .timeout(limit)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            // Livy with protection against forged requests refuses those without it.
            .header("X-Requested-By", "longspan")
            .method(method, body);
    authorization.ifPresent(value -> request.header("Authorization", value));
    try {
      return read(http.send(request.build(), BodyHandlers.ofString()));
    } catch (ConnectException | HttpConnectTimeoutException unreachable) {
      throw new LivyAwayException(reason(unreachable), false, unreachable);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LivyAwayException("interrupted", true, new InterruptedIOException());
    } catch (LivyAwayException away) {
      throw away;
    } catch (IOException broken) {
      throw new LivyAwayException(reason(broken), true, broken);
    }
  }

  private Optional<JsonNode> read(HttpResponse<String> answer) throws LivyAwayException {
    int status = answer.statusCode();
    return switch (status) {
      case 200, 201 -> Optional.of(json(answer));
      case NOT_FOUND -> Optional.empty();
      case 401, 403 ->
          throw new LivyRefusalException(
              String.format(
                  "%s does not let you in (%d%s); set LONGSPAN_LIVY_AUTHORIZATION to the"
                      + " Authorization header that it wants, such as 'Bearer …'",
                  server, status, said(answer)));
      case 502, 503, 504 -> throw new LivyAwayException("a gateway answers " + status, true, null);
      default ->
          throw new LivyRefusalException(
              String.format("Livy at %s refuses (%d%s)", server, status, said(answer)));
    };
  }

  private JsonNode json(HttpResponse<String> answer) {
    try {
      return JSON.readTree(answer.body());
    } catch (JsonProcessingException page) {
      throw new LivyRefusalException(
          server
              + " answers, but not as Livy does: with no JSON; --url takes Livy's address, such as"
              + " http://livy.example:8998");
    }
  }

  /** What the answer says of the error: Livy's words, or those on its web server's page. */
  private static String said(HttpResponse<String> answer) {
    String text = answer.body().strip();
    Matcher page = PAGE.matcher(text);
    if (page.find()) {
      text = page.group(1);
    } else if (text.startsWith("<")) {
      text = "";
    } else {
      text = words(text);
    }
    String line =
        text.strip().lines().findFirst().orElse("").replaceFirst("^requirement failed: ", "");
    return line.isBlank() ? "" : ": " + line.strip();
  }

  private static String words(String text) {
    try {
      JsonNode node = JSON.readTree(text);
      return node.isObject() ? node.path("msg").asText("") : node.asText(text);
    } catch (JsonProcessingException plain) {
      return text;
    }
  }

  private static String reason(IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return "its name is unknown";
      }
    }
    String message = failure.getMessage();
    return message == null ? "connection refused" : message;
  }
}
