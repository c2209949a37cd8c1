package io.sealane.server;

import com.linecorp.armeria.common.logging.RequestLog;
import io.grpc.Status;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a call over gRPC ended, as its trailers tell. */
final class GrpcCalls {
  private static final String HEADER = "grpc-status";

  /** Those that OpenTelemetry and this server hold to be the server's own fault. */
  private static final Set<Status.Code> SERVER_ERRORS =
      Set.of(
          Status.Code.UNKNOWN,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.UNIMPLEMENTED,
          Status.Code.INTERNAL,
          Status.Code.UNAVAILABLE,
          Status.Code.DATA_LOSS);

  private GrpcCalls() {}

  /** The name of the status; null for a call that is not over gRPC, or has none. */
  static @Nullable String status(RequestLog log) {
    String number = log.responseTrailers().get(HEADER, log.responseHeaders().get(HEADER, ""));
    if (number.isEmpty() || !number.chars().allMatch(Character::isDigit)) {
      return null;
    }
    return Status.fromCodeValue(Integer.parseInt(number)).getCode().name();
  }

  static boolean failed(@Nullable String status) {
    return status != null && !status.equals(Status.Code.OK.name());
  }

  static boolean isServerError(@Nullable String status) {
    return status != null && SERVER_ERRORS.contains(Status.Code.valueOf(status));
  }
}
