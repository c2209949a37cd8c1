package io.sealane.server;

import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.logging.AccessLogWriter;
import io.sealane.serving.Execution;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A line in the log for each request, or for each that failed. It names models as clients do, and
 * holds nothing of what was asked and answered.
 */
final class AccessLog implements AccessLogWriter {
  private static final Logger LOG = Logger.getLogger("io.sealane.requests");
  private static final int LONGEST = 256;

  private final boolean all;

  /** Logs all requests, or those that failed. */
  AccessLog(boolean all) {
    this.all = all;
  }

  @Override
  public void log(RequestLog log) {
    if (!(log.context() instanceof ServiceRequestContext context)) {
      return;
    }
    CallRecord record = CallRecord.of(context);
    HttpStatus status = log.responseStatus();
    String grpc = GrpcCalls.status(log);
    boolean failed = record.code() != null || status.code() >= 400 || GrpcCalls.failed(grpc);
    if (!all && !failed) {
      return;
    }
    boolean ours = status.isServerError() || GrpcCalls.isServerError(grpc);
    RequestHeaders headers = log.requestHeaders();
    String path = cut(context.path());
    String message =
        grpc == null
            ? headers.method() + " " + path + " " + status.code()
            : path.substring(1) + " " + grpc;
    LOG.log(
        new LogFields(
            ours ? Level.WARNING : Level.INFO,
            LOG.getName(),
            message,
            fields(log, context, record, grpc)));
  }

  private static Map<String, Object> fields(
      RequestLog log, ServiceRequestContext context, CallRecord record, @Nullable String grpc) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("protocol", log.sessionProtocol().uriText());
    if (grpc == null) {
      fields.put("method", context.method().name());
      fields.put("path", cut(context.path()));
      fields.put("status", log.responseStatus().code());
    } else {
      fields.put("rpc", cut(context.path().substring(1)));
      fields.put("grpc_status", grpc);
    }
    put(fields, "model", record.model());
    put(fields, "version", record.version());
    put(fields, "error", record.code());
    fields.put("ms", millis(log.totalDurationNanos()));
    Execution execution = record.execution();
    if (execution != null) {
      fields.put("queue_ms", millis(execution.queue()));
      fields.put("run_ms", millis(execution.run()));
    }
    fields.put("bytes_in", log.requestLength());
    fields.put("bytes_out", log.responseLength());
    fields.put("request_id", context.id().text());
    put(fields, "trace_id", record.trace(context));
    fields.put("client", context.clientAddress().getHostAddress());
    return fields;
  }

  private static void put(Map<String, Object> fields, String name, @Nullable String value) {
    if (value != null) {
      fields.put(name, cut(value));
    }
  }

  private static double millis(long nanos) {
    return Math.round(nanos / 1e3) / 1e3;
  }

  /** Clients choose how long it is. */
  private static String cut(String text) {
    return text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
  }
}
