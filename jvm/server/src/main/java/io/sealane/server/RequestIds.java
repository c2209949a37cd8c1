package io.sealane.server;

import com.linecorp.armeria.common.RequestId;
import com.linecorp.armeria.server.RoutingContext;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** What a request is called in the log, in captures and in its answer: as its client called it. */
final class RequestIds {
  static final String HEADER = "x-request-id";

  /** What can stand in a header, a line and a file without being anything else there. */
  private static final Pattern TAKEN = Pattern.compile("[A-Za-z0-9._:/+=@-]{1,128}");

  private RequestIds() {}

  /** The client's, or a new one where it gives none or one that is not taken. */
  static RequestId of(RoutingContext routing) {
    String given = routing.headers().get(HEADER);
    if (given != null && TAKEN.matcher(given).matches()) {
      return () -> given;
    }
    ThreadLocalRandom random = ThreadLocalRandom.current();
    HexFormat hex = HexFormat.of();
    String made = hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    return () -> made;
  }
}
