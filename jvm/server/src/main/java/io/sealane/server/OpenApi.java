package io.sealane.server;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServerBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The description of what is served over HTTP, as OpenAPI 3.1, at {@code /openapi.json}. */
final class OpenApi {
  private byte @Nullable [] document;

  void bind(ServerBuilder server) {
    server
        .route()
        .get("/openapi.json")
        .build(HttpCalls.now(context -> Json.of(HttpStatus.OK, document())));
  }

  /** Read when it is asked for the first time. */
  private synchronized byte[] document() {
    if (document == null) {
      try (InputStream yaml = OpenApi.class.getResourceAsStream("openapi.yaml")) {
        Object parsed = new YAMLMapper().readValue(Objects.requireNonNull(yaml), Object.class);
        document = new JsonMapper().writeValueAsBytes(parsed);
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
    return document;
  }
}
