package io.sealane.server;

import com.linecorp.armeria.server.ServiceRequestContext;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client gives so that all its requests have one version where they name none: a parameter
 * of a V2 request, or a header of any call, which is gRPC's metadata too.
 */
final class RoutingKey {
  private static final String PARAMETER = "routing_key";
  private static final String HEADER = "x-sealane-routing-key";

  private RoutingKey() {}

  /** A request's own; null for none. */
  static @Nullable String of(Map<String, Object> parameters) {
    Object key = parameters.get(PARAMETER);
    if (key == null || key instanceof String) {
      return (String) key;
    }
    throw Requests.invalid("parameter '" + PARAMETER + "' must be a string");
  }

  /** That of the call that this thread is in; null for none. */
  static @Nullable String ofCall() {
    ServiceRequestContext call = ServiceRequestContext.currentOrNull();
    return call == null ? null : call.request().headers().get(HEADER);
  }
}
