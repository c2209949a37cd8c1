package io.sealane.server;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;

/**
 * Refuses bodies that come in very many pieces of next to nothing: each piece costs a hundred bytes
 * of memory beside its own, so that one below {@code request.max-bytes} could take far more.
 */
final class SmallPieces {
  private static final int ALWAYS_FINE = 4096;
  private static final int BYTES_EACH = 16;

  private long pieces;
  private long bytes;

  private SmallPieces() {}

  /** A decorator. */
  static HttpResponse refused(
      HttpService service, ServiceRequestContext context, HttpRequest request) throws Exception {
    long length = request.headers().contentLength();
    if (length >= 0 && length <= ALWAYS_FINE) {
      return service.serve(context, request);
    }
    SmallPieces seen = new SmallPieces();
    return service.serve(context, request.peekData(data -> seen.add(data.length())));
  }

  private void add(int length) {
    pieces++;
    bytes += length;
    if (pieces > ALWAYS_FINE && bytes < pieces * BYTES_EACH) {
      throw new SealaneException(
          ErrorCode.REQUEST_INVALID,
          "the body comes in " + pieces + " pieces for " + bytes + " bytes: send larger ones");
    }
  }
}
