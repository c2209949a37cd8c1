package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.bundle.GoldenCase;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/** The web page of the management port, and what it reads. */
final class Console {
  private static final String PAGE = "/console";

  private static final List<String> FILES =
      List.of(
          "actions.js",
          "api.js",
          "app.js",
          "charts.js",
          "dom.js",
          "facts.js",
          "form.js",
          "format.js",
          "history.js",
          "icon.svg",
          "overview.js",
          "parity.js",
          "style.css",
          "tensors.js",
          "traffic.js",
          "try.js",
          "version.js",
          "widgets.css");

  /**
   * Scripts and styles are files of this jar alone; nothing is read as markup; no other page shows
   * this one in a frame; and nothing is left in a cache.
   */
  private static final Map<String, String> HEADERS =
      Map.of(
          "content-security-policy",
          "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
              + "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
          "x-content-type-options",
          "nosniff",
          "referrer-policy",
          "no-referrer",
          "cross-origin-resource-policy",
          "same-origin",
          "cache-control",
          "no-store");

  private static final Map<String, HttpData> PAGES = pages();

  /** The paths whose GET needs no token: files of this jar, with nothing secret in them. */
  static final Set<String> OPEN = PAGES.keySet();

  private final ModelRepository repository;
  private final ServerConfig config;
  private final IntSupplier mainPort;
  private final Supplier<Boolean> ready;

  /**
   * A console of a server.
   *
   * @param mainPort the port of inference, once it is bound
   * @param ready whether the server is ready
   */
  Console(
      ModelRepository repository,
      ServerConfig config,
      IntSupplier mainPort,
      Supplier<Boolean> ready) {
    this.repository = repository;
    this.config = config;
    this.mainPort = mainPort;
    this.ready = ready;
  }

  private static Map<String, HttpData> pages() {
    Map<String, HttpData> pages = new LinkedHashMap<>();
    pages.put(PAGE, read("index.html"));
    for (String file : FILES) {
      pages.put(PAGE + "/" + file, read(file));
    }
    return Collections.unmodifiableMap(pages);
  }

  private static HttpData read(String file) {
    try (InputStream bytes = Console.class.getResourceAsStream("console/" + file)) {
      if (bytes == null) {
        throw new IllegalStateException("this jar has no console/" + file);
      }
      return HttpData.wrap(bytes.readAllBytes());
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  void bind(ServerBuilder server) {
    PAGES.forEach(
        (path, bytes) -> {
          ResponseHeaders headers =
              ResponseHeaders.of(HttpStatus.OK, HttpHeaderNames.CONTENT_TYPE, type(path));
          server.route().get(path).build((context, request) -> HttpResponse.of(headers, bytes));
        });
    server.route().get(PAGE + "/data").build(HttpCalls.now(this::data));
    String version = PAGE + "/models/{model}/versions/{version}";
    server.route().get(version).build(HttpCalls.now(this::version));
    server.route().get(version + "/example").build(HttpCalls.now(this::example));
    server.route().post(PAGE + "/refresh").build(HttpCalls.waiting(this::refresh));
    server.decorator(PAGE, Console::guarded);
    server.decoratorUnder(PAGE, Console::guarded);
  }

  private static MediaType type(String path) {
    if (path.endsWith(".js")) {
      return MediaType.JAVASCRIPT_UTF_8;
    }
    if (path.endsWith(".css")) {
      return MediaType.CSS_UTF_8;
    }
    return path.endsWith(".svg") ? MediaType.SVG_UTF_8 : MediaType.HTML_UTF_8;
  }

  private static HttpResponse guarded(
      HttpService service, ServiceRequestContext context, HttpRequest request) throws Exception {
    HEADERS.forEach(context::setAdditionalResponseHeader);
    return service.serve(context, request);
  }

  private HttpResponse data(ServiceRequestContext context) {
    boolean tls = !config.tls().certificate().isEmpty();
    var server = new ConsoleData.Server(ready.get(), config.host(), mainPort.getAsInt(), tls);
    return Json.of(HttpStatus.OK, json -> ConsoleData.all(json, server, repository));
  }

  private ServedVersion served(ServiceRequestContext context) {
    return repository
        .model(String.valueOf(context.pathParam("model")))
        .version(context.pathParam("version"));
  }

  private HttpResponse version(ServiceRequestContext context) {
    ServedVersion served = served(context);
    return Json.of(HttpStatus.OK, json -> ConsoleVersion.write(json, served));
  }

  private HttpResponse example(ServiceRequestContext context) {
    GoldenCase example = served(context).session().evidence().example();
    return Json.of(HttpStatus.OK, json -> ConsoleExample.write(json, example));
  }

  private HttpResponse refresh(ServiceRequestContext context, AggregatedHttpRequest request) {
    repository.refresh();
    return HttpResponse.of(HttpStatus.OK);
  }
}
