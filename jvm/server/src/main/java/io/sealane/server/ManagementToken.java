package io.sealane.server;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The bearer token without which the management port answers nothing. */
final class ManagementToken {
  private final String token;
  private final @Nullable Path file;

  private ManagementToken(String token, @Nullable Path file) {
    this.token = token;
    this.file = file;
  }

  /** The configured token, or a new one in a file that only this user can read. */
  static ManagementToken of(String configured) {
    if (!configured.isEmpty()) {
      return new ManagementToken(configured, null);
    }
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    String token = HexFormat.of().formatHex(random);
    try {
      Path file = Files.createTempFile("sealane-management-", ".token");
      Files.writeString(file, token);
      file.toFile().deleteOnExit();
      return new ManagementToken(token, file);
    } catch (IOException readOnly) {
      throw new UncheckedIOException(
          "management.token is not set, and a new one can not be kept in a file", readOnly);
    }
  }

  /** Where a new token is, or null when it was configured. */
  @Nullable Path file() {
    return file;
  }

  /**
   * Refuses requests without the token with 401.
   *
   * @param open the paths whose GET needs none
   */
  HttpService guard(HttpService service, Set<String> open) {
    return new SimpleDecoratingHttpService(service) {
      @Override
      public HttpResponse serve(ServiceRequestContext context, HttpRequest request)
          throws Exception {
        String given = request.headers().get(HttpHeaderNames.AUTHORIZATION, "");
        byte[] wanted = ("Bearer " + token).getBytes(StandardCharsets.UTF_8);
        boolean needsNone = request.method() == HttpMethod.GET && open.contains(context.path());
        if (needsNone || MessageDigest.isEqual(wanted, given.getBytes(StandardCharsets.UTF_8))) {
          return unwrap().serve(context, request);
        }
        String problem = "the management token is needed";
        return GrpcRefusals.isGrpc(request.headers())
            ? HttpResponse.of(GrpcRefusals.of(HttpStatus.UNAUTHORIZED, problem))
            : Json.of(HttpStatus.UNAUTHORIZED, Json.error(problem));
      }
    };
  }
}
