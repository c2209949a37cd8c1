package io.sealane.server;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;

/** JSON bodies. Their content type is {@code application/json} with nothing after it. */
final class Json {
  private static final MediaType TYPE = MediaType.create("application", "json");

  private Json() {}

  /** Writes a body. */
  interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  static byte[] bytes(Body body) {
    try (ByteArrayBuilder bytes = new ByteArrayBuilder(256);
        JsonGenerator json = V2Json.FACTORY.createGenerator(bytes)) {
      body.write(json);
      json.flush();
      return bytes.toByteArray();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  static HttpResponse of(HttpStatus status, Body body) {
    return of(status, bytes(body));
  }

  static HttpResponse of(HttpStatus status, byte[] json) {
    return HttpResponse.of(
        ResponseHeaders.of(status, HttpHeaderNames.CONTENT_TYPE, TYPE), HttpData.wrap(json));
  }

  /** An answer that says no more than that it was done. */
  static HttpResponse nothing() {
    return of(HttpStatus.OK, new byte[0]);
  }

  /** {@code {"error": …}} with the status of the error. */
  static HttpResponse error(Throwable error) {
    Throwable cause = Problems.cause(error);
    HttpStatus status = Problems.http(cause);
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(status).add(HttpHeaderNames.CONTENT_TYPE, TYPE.toString());
    if (status.equals(HttpStatus.TOO_MANY_REQUESTS)) {
      headers.add(HttpHeaderNames.RETRY_AFTER, "1");
    }
    return HttpResponse.of(headers.build(), HttpData.wrap(error(Problems.message(cause))));
  }

  static byte[] error(String message) {
    return bytes(
        json -> {
          json.writeStartObject();
          json.writeStringField("error", message);
          json.writeEndObject();
        });
  }
}
