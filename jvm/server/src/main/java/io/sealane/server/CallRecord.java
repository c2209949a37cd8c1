package io.sealane.server;

import com.linecorp.armeria.server.ServiceRequestContext;
import io.netty.util.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.sealane.core.SealaneException;
import io.sealane.serving.Execution;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What becomes known of a call while it is answered, for its line in the log and its span. Of a
 * stream it is what its last request was. Safe for use by any thread.
 */
final class CallRecord {
  private static final AttributeKey<CallRecord> KEY =
      AttributeKey.valueOf(CallRecord.class, "call-record");
  private static final Pattern PARENT =
      Pattern.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*");

  private volatile @Nullable String model;
  private volatile @Nullable String version;
  private volatile @Nullable Execution execution;
  private volatile @Nullable Throwable error;
  private volatile @Nullable Span span;

  /** The call's record, begun where it has none. */
  static CallRecord of(ServiceRequestContext context) {
    CallRecord record = context.attr(KEY);
    if (record == null) {
      record = new CallRecord();
      context.setAttr(KEY, record);
    }
    return record;
  }

  /** That of the call that this thread answers; null where it answers none. */
  static @Nullable CallRecord current() {
    ServiceRequestContext context = ServiceRequestContext.currentOrNull();
    return context == null ? null : of(context);
  }

  void asks(String name) {
    model = name;
  }

  void answers(String name) {
    version = name;
  }

  void ran(Execution how) {
    execution = how;
  }

  void failed(Throwable cause) {
    error = cause;
  }

  void span(Span begun) {
    span = begun;
  }

  /** The model that is asked; null for none yet. */
  @Nullable String model() {
    return model;
  }

  /** The version that answers; null for none yet. */
  @Nullable String version() {
    return version;
  }

  /** How it ran; null where it did not. */
  @Nullable Execution execution() {
    return execution;
  }

  /** The code of what it failed with; null where it did not. */
  @Nullable String code() {
    Throwable failed = error;
    if (failed == null) {
      return null;
    }
    Throwable cause = Problems.cause(failed);
    return cause instanceof SealaneException coded
        ? coded.code().name()
        : cause.getClass().getSimpleName();
  }

  /** Its span; null where it is not traced. */
  @Nullable Span span() {
    return span;
  }

  /** Its trace: the span's, or the one that the client named; null for none. */
  @Nullable String trace(ServiceRequestContext context) {
    Span own = span;
    if (own != null) {
      return own.getSpanContext().getTraceId();
    }
    Matcher named = PARENT.matcher(context.request().headers().get("traceparent", ""));
    return named.matches() ? named.group(1) : null;
  }
}
