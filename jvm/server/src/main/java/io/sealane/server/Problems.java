package io.sealane.server;

import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.util.CompositeException;
import com.linecorp.armeria.server.RequestTimeoutException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.handler.codec.compression.DecompressionException;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/** What an error is over HTTP and gRPC. The one place where codes become statuses. */
final class Problems {
  private static final System.Logger LOG = System.getLogger("io.sealane.server");

  private Problems() {}

  /** The error itself, out of what futures wrap it in; the network's own timeout as ours. */
  static Throwable cause(Throwable error) {
    Throwable cause = error;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof CompositeException several && !several.getExceptions().isEmpty()) {
      return cause(several.getExceptions().get(0));
    }
    if (cause instanceof RequestTimeoutException) {
      String problem = "the request was not answered within request.timeout";
      return new SealaneException(ErrorCode.DEADLINE_EXCEEDED, problem);
    }
    return cause;
  }

  static HttpStatus http(Throwable error) {
    if (error instanceof CancellationException) {
      return HttpStatus.CLIENT_CLOSED_REQUEST;
    }
    if (error instanceof ContentTooLargeException) {
      return HttpStatus.REQUEST_ENTITY_TOO_LARGE;
    }
    if (error instanceof DecompressionException) {
      return HttpStatus.BAD_REQUEST;
    }
    if (!(error instanceof SealaneException coded)) {
      return HttpStatus.INTERNAL_SERVER_ERROR;
    }
    return switch (coded.code()) {
      case MODEL_NOT_FOUND -> HttpStatus.NOT_FOUND;
      case MODEL_NOT_READY -> HttpStatus.SERVICE_UNAVAILABLE;
      case REQUEST_UNSUPPORTED -> HttpStatus.NOT_IMPLEMENTED;
      case OVERLOADED -> HttpStatus.TOO_MANY_REQUESTS;
      case DEADLINE_EXCEEDED -> HttpStatus.GATEWAY_TIMEOUT;
      case REQUEST_CANCELLED -> HttpStatus.CLIENT_CLOSED_REQUEST;
      case REQUEST_INVALID -> HttpStatus.BAD_REQUEST;
      default ->
          coded.code().family() == ErrorCode.Family.INPUT
              ? HttpStatus.BAD_REQUEST
              : HttpStatus.INTERNAL_SERVER_ERROR;
    };
  }

  static Status grpc(Throwable error) {
    if (error instanceof CancellationException) {
      return Status.CANCELLED;
    }
    if (error instanceof StatusRuntimeException told) {
      return told.getStatus();
    }
    if (!(error instanceof SealaneException coded)) {
      return Status.INTERNAL.withDescription(message(error)).withCause(error);
    }
    Status status =
        switch (coded.code()) {
          case MODEL_NOT_FOUND -> Status.NOT_FOUND;
          case MODEL_NOT_READY -> Status.UNAVAILABLE;
          case REQUEST_UNSUPPORTED -> Status.UNIMPLEMENTED;
          case OVERLOADED -> Status.RESOURCE_EXHAUSTED;
          case DEADLINE_EXCEEDED -> Status.DEADLINE_EXCEEDED;
          case REQUEST_CANCELLED -> Status.CANCELLED;
          case REQUEST_INVALID -> Status.INVALID_ARGUMENT;
          default ->
              coded.code().family() == ErrorCode.Family.INPUT
                  ? Status.INVALID_ARGUMENT
                  : Status.INTERNAL;
        };
    return status.withDescription(message(error)).withCause(error);
  }

  /**
   * Logs what is the server's own fault: where it happened, and not what it says, as that may be
   * what a client sent.
   */
  static void tell(Throwable error) {
    Throwable cause = cause(error);
    boolean told = cause instanceof SealaneException || cause instanceof CancellationException;
    if (!told && http(cause).equals(HttpStatus.INTERNAL_SERVER_ERROR)) {
      Throwable silent = new RuntimeException(cause.getClass().getName());
      silent.setStackTrace(cause.getStackTrace());
      LOG.log(System.Logger.Level.ERROR, "a request failed", silent);
    }
  }

  /** For the client: coded messages as they are, and nothing of the inside of other errors. */
  static String message(Throwable error) {
    if (error instanceof SealaneException) {
      return String.valueOf(error.getMessage());
    }
    if (error instanceof ContentTooLargeException) {
      return "REQUEST_INVALID: the body is larger than request.max-bytes";
    }
    if (error instanceof DecompressionException) {
      return "REQUEST_INVALID: the body is not encoded as it says";
    }
    return error instanceof CancellationException
        ? "REQUEST_CANCELLED: the caller gave the request up"
        : "the server failed (" + error.getClass().getSimpleName() + ")";
  }
}
