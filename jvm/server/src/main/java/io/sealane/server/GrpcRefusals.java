package io.sealane.server;

import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import io.grpc.Status;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Refusals that come before gRPC's own code has the call, such as of a method that there is not, in
 * gRPC's shape: headers alone, with a status. Clients that are given a body in place of it take its
 * bytes for a message, or the call for cancelled, now and then.
 */
final class GrpcRefusals {
  private GrpcRefusals() {}

  static boolean isGrpc(RequestHeaders headers) {
    MediaType type = headers.contentType();
    return type != null && (type.subtype().equals("grpc") || type.subtype().startsWith("grpc+"));
  }

  /** The answer in place of one with this HTTP status. */
  static ResponseHeaders of(HttpStatus status, String message) {
    Status.Code code =
        switch (status.code()) {
          case 401 -> Status.Code.UNAUTHENTICATED;
          case 404 -> Status.Code.UNIMPLEMENTED;
          case 503 -> Status.Code.UNAVAILABLE;
          default -> Status.Code.UNKNOWN;
        };
    return ResponseHeaders.builder(HttpStatus.OK)
        .contentType(MediaType.create("application", "grpc+proto"))
        .addInt("grpc-status", code.value())
        .add("grpc-message", URLEncoder.encode(message, StandardCharsets.UTF_8).replace("+", "%20"))
        .build();
  }
}
