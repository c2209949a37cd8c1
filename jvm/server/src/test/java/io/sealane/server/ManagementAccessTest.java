package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.RoutePathType;
import com.linecorp.armeria.server.ServiceConfig;
import io.sealane.protocols.inference.RepositoryModelUnloadRequest;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nobody without the token gets anything out of the management port, or changes what is served by
 * either port. The paths are those that the server says it has, so a new one is tried too.
 */
@Timeout(120)
class ManagementAccessTest {
  @TempDir static Path root;

  private static SealaneServer server;
  private static ServedVersion served;
  private static RawHttp management;
  private static RawHttp main;

  private static final Map<String, String> TOKEN = Map.of("Authorization", "Bearer secret");

  /** What is no credentials. */
  private static final List<Map<String, String>> WRONG =
      List.of(
          Map.of("Authorization", "Bearer wrong"),
          Map.of("Authorization", "Bearer "),
          Map.of("Authorization", "Bearer secretx"),
          Map.of("Authorization", "Bearer secre"),
          Map.of("Authorization", "secret"),
          Map.of("Authorization", "Basic " + encoded(":secret")),
          Map.of("Authorization", "Bearer Bearer secret"),
          Map.of("Proxy-Authorization", "Bearer secret"),
          Map.of("X-Forwarded-Authorization", "Bearer secret"),
          Map.of("Cookie", "authorization=Bearer secret; token=secret"),
          Map.of("X-Forwarded-For", "127.0.0.1", "Forwarded", "for=127.0.0.1"));

  /** How a gateway or a framework is told of another method or path. */
  private static final List<Map<String, String>> OVERRIDES =
      List.of(
          Map.of("X-HTTP-Method-Override", "POST"),
          Map.of("X-HTTP-Method", "POST"),
          Map.of("X-Method-Override", "POST"),
          Map.of("X-Original-URL", "/v2/repository/models/mlp/unload"),
          Map.of("X-Rewrite-URL", "/v2/repository/models/mlp/unload"),
          Map.of("X-Original-Method", "POST", "X-Forwarded-Prefix", "/v2/repository"));

  /** What a call may come as: gRPC, its relatives for browsers, and JSON. */
  private static final List<String> TYPES =
      List.of(
          "application/grpc",
          "application/grpc+proto",
          "application/grpc+json",
          "application/grpc-web",
          "application/grpc-web+proto",
          "application/grpc-web-text",
          "application/protobuf",
          "application/json; charset=utf-8; protocol=gRPC",
          "application/json");

  private static final String DENIED = "7";
  private static final String UNIMPLEMENTED = "12";
  private static final String UNAUTHENTICATED = "16";

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @BeforeAll
  static void serve() throws IOException {
    ServedBundle.copyTo(root);
    List<String> flags =
        List.of(
            "--repository=" + root,
            "--port=0",
            "--management.port=0",
            "--management.token=secret",
            "--drain.timeout=1s");
    server = SealaneServer.start(ServerConfig.of(Settings.of(flags, Map.of())));
    management = new RawHttp(server.managementPort());
    main = new RawHttp(server.port());
    served = server.repository().model("mlp").version(null);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @AfterEach
  void nothingHasChanged() {
    assertThat(server.repository().model("mlp").version(null)).isSameAs(served);
    assertThat(server.repository().model("mlp").canary()).isEmpty();
    assertThat(server.repository().index()).hasSize(1);
  }

  /** A path that the route takes. */
  private static String path(Route route) {
    RoutePathType type = route.pathType();
    if (type == RoutePathType.REGEX || type == RoutePathType.REGEX_WITH_PREFIX) {
      return "/v1/models/mlp";
    }
    String path = route.patternString().replaceAll("\\{[^}]+}|(?<=/):[^/]+", "mlp");
    return type == RoutePathType.PREFIX ? path.replaceAll("/?\\**$", "/mlp") : path;
  }

  private static Set<String> paths(List<ServiceConfig> services) {
    Set<String> paths =
        services.stream().map(each -> path(each.route())).collect(Collectors.toSet());
    assertThat(paths).contains("/v2/repository/index");
    paths.removeAll(Console.OPEN);
    return new TreeSet<>(paths);
  }

  /**
   * Those that are spelled in other ways: of the calls of gRPC those of the repository stand for
   * all.
   */
  private static List<String> spelled(List<ServiceConfig> services) {
    return paths(services).stream()
        .filter(path -> !path.contains(".") || path.contains("Repository"))
        .toList();
  }

  /** The method that changes what is served, where one does. */
  private static String changing(String path) {
    return path.startsWith("/traffic/") ? "PUT" : "POST";
  }

  /** A body that would take the model away or its traffic elsewhere, wherever it is read. */
  private static byte[] body(String path) {
    if (path.startsWith("/traffic/")) {
      return "{\"canary\": {\"1\": 5}}".getBytes(StandardCharsets.UTF_8);
    }
    if (!path.contains(".")) {
      return "{}".getBytes(StandardCharsets.UTF_8);
    }
    byte[] message =
        RepositoryModelUnloadRequest.newBuilder().setModelName("mlp").build().toByteArray();
    return ByteBuffer.allocate(5 + message.length)
        .put((byte) 0)
        .putInt(message.length)
        .put(message)
        .array();
  }

  private static Map<String, String> with(Map<String, String> headers, String type) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put("Content-Type", type);
    return all;
  }

  /** Over gRPC a refusal has the status 200, and tells its own beside it. */
  private static void requireRefused(String what, int status, String grpc) {
    if (status == 200) {
      assertThat(grpc).as(what).isIn(UNAUTHENTICATED, UNIMPLEMENTED);
      return;
    }
    // 0: the connection was closed, as what was written is no HTTP.
    assertThat(status).as(what).isIn(0, 400, 401, 404, 405);
  }

  private void tryRefused(String method, String target, Map<String, String> headers, String of)
      throws IOException {
    RawHttp.Answer answer = management.ask(method, target, headers, body(of));
    requireRefused(method + " " + target + " " + headers, answer.status(), answer.grpc());
  }

  @Test
  void theManagementPortAnswersNoPathWithoutTheToken() throws IOException {
    for (String path : paths(server.managementServices())) {
      for (HttpMethod method : HttpMethod.knownMethods()) {
        if (method != HttpMethod.CONNECT) {
          RawHttp.Answer answer = management.ask(method.name(), path, Map.of(), body(path));
          assertThat(answer.status()).as(method + " " + path).isIn(401, 405);
        }
      }
    }
    for (String path : spelled(server.managementServices())) {
      for (Map<String, String> wrong : WRONG) {
        RawHttp.Answer answer = management.ask(changing(path), path, wrong, body(path));
        assertThat(answer.status()).as(path + " " + wrong).isEqualTo(401);
      }
    }
  }

  @Test
  void theFilesOfTheConsoleAreReadWithoutTheTokenAndNothingElseIsDone() throws IOException {
    assertThat(Console.OPEN).contains("/console");
    for (String path : Console.OPEN) {
      assertThat(management.ask("GET", path, Map.of(), new byte[0]).status())
          .as(path)
          .isEqualTo(200);
      for (String method : List.of("POST", "PUT", "DELETE", "PATCH")) {
        assertThat(management.ask(method, path, Map.of(), body(path)).status())
            .as(method + " " + path)
            .isIn(401, 405);
      }
    }
  }

  @Test
  void noSpellingOfAPathGoesRoundTheToken() throws IOException {
    for (String path : spelled(server.managementServices())) {
      for (String spelling : Spellings.of(path)) {
        tryRefused(changing(path), spelling, Map.of(), path);
        tryRefused("GET", spelling, Map.of("Authorization", "Bearer wrong"), path);
      }
      for (Map<String, String> override : OVERRIDES) {
        tryRefused("GET", path, override, path);
        tryRefused(changing(path), path, override, path);
      }
      for (String type : TYPES) {
        tryRefused(changing(path), path, with(Map.of(), type), path);
      }
    }
  }

  @Test
  void overHttp2ItIsTheSame() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
    Set<HttpClient.Version> versions = new HashSet<>();
    for (String path : spelled(server.managementServices())) {
      for (String spelling : Spellings.of(path)) {
        if (!spelling.startsWith("/") || spelling.contains("\\")) {
          continue;
        }
        URI uri = URI.create("http://127.0.0.1:" + server.managementPort() + spelling);
        for (String token : List.of("Bearer wrong", "")) {
          HttpRequest request =
              HttpRequest.newBuilder(uri)
                  .header("Authorization", token)
                  .header("Content-Type", path.contains(".") ? TYPES.get(0) : TYPES.get(8))
                  .timeout(Duration.ofSeconds(20))
                  .method(changing(path), HttpRequest.BodyPublishers.ofByteArray(body(path)))
                  .build();
          HttpResponse<Void> answer = client.send(request, HttpResponse.BodyHandlers.discarding());
          String grpc = answer.headers().firstValue("grpc-status").orElse("");
          requireRefused(uri + " " + token, answer.statusCode(), grpc);
          versions.add(answer.version());
        }
      }
    }
    assertThat(versions).contains(HttpClient.Version.HTTP_2);
  }

  @Test
  void whatOnlyTheManagementPortHasIsNotOnTheMainPort() throws IOException {
    Set<String> only = paths(server.managementServices());
    only.removeAll(paths(server.services()));
    assertThat(only)
        .contains("/metrics", "/traffic/mlp")
        .contains("/v2/repository/models/mlp/load", "/v2/repository/models/mlp/unload");
    for (String path : only) {
      for (String spelling : Spellings.of(path)) {
        for (Map<String, String> headers : List.of(Map.<String, String>of(), TOKEN)) {
          for (String method : List.of("GET", changing(path))) {
            RawHttp.Answer answer = main.ask(method, spelling, headers, body(path));
            requireRefused(method + " " + spelling, answer.status(), answer.grpc());
          }
        }
      }
    }
  }

  /** Whatever a path of the main port is for, {@link #nothingHasChanged} holds after it. */
  @Test
  void noPathOfTheMainPortChangesTheRepository() throws IOException {
    for (String path : spelled(server.services())) {
      for (String spelling : Spellings.of(path)) {
        main.ask("POST", spelling, TOKEN, body(path));
      }
      for (Map<String, String> override : OVERRIDES) {
        main.ask("GET", path, override, body(path));
        main.ask("POST", path, override, body(path));
      }
      for (String type : TYPES) {
        main.ask("POST", path, with(TOKEN, type), body(path));
      }
      for (String method : List.of("PUT", "DELETE", "PATCH")) {
        main.ask(method, path, TOKEN, body(path));
      }
    }
  }

  @Test
  void changesByGrpcOnTheMainPortAreDenied() throws IOException {
    String service = "/inference.GRPCInferenceService/";
    for (String call : List.of("RepositoryModelLoad", "RepositoryModelUnload")) {
      for (String type : TYPES) {
        RawHttp.Answer answer =
            main.ask("POST", service + call, with(TOKEN, type), body(service + call));
        assertThat(answer.status() != 200 || answer.grpc().equals(DENIED))
            .as(call + " " + type + " " + answer)
            .isTrue();
      }
    }
  }

  /** So that the tests above can fail. */
  @Test
  void whoHasTheTokenIsAnswered() throws IOException {
    assertThat(management.ask("GET", "/metrics", TOKEN, body("/")).status()).isEqualTo(200);
    assertThat(management.ask("POST", "/v2/repository/index", TOKEN, body("/")).status())
        .isEqualTo(200);
    assertThat(main.ask("POST", "/v2/repository/index", Map.of(), body("/")).status())
        .isEqualTo(200);
    String traffic = "/traffic/mlp";
    assertThat(management.ask("PUT", traffic, TOKEN, body(traffic)).status()).isEqualTo(200);
    assertThat(server.repository().model("mlp").canary()).isEqualTo(Map.of("1", 5.0));
    assertThat(management.ask("DELETE", traffic, TOKEN, body("/")).status()).isEqualTo(200);
    assertThat(server.repository().model("mlp").canary()).isEmpty();
    String unload = "/v2/repository/models/mlp/unload";
    assertThat(management.ask("POST", unload, TOKEN, body("/")).status()).isEqualTo(200);
    assertThat(server.repository().models()).isEmpty();
    String load = "/v2/repository/models/mlp/load";
    assertThat(management.ask("POST", load, TOKEN, body("/")).status()).isEqualTo(200);
    served = server.repository().model("mlp").version(null);
  }
}
