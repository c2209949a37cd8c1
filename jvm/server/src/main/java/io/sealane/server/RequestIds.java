package io.sealane.server;

import com.linecorp.armeria.common.RequestId;
import com.linecorp.armeria.server.RoutingContext;
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
    String made = String.format("%016x%016x", random.nextLong(), random.nextLong());
    return () -> made;
  }
}
