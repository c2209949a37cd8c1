package io.sealane.server;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/** A log record with fields beside its message: numbers and texts by name. */
final class LogFields extends LogRecord {
  private static final long serialVersionUID = 1L;

  private final transient Map<String, Object> fields;

  LogFields(Level level, String logger, String message, Map<String, Object> fields) {
    super(level, message);
    this.fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    setLoggerName(logger);
  }

  Map<String, Object> fields() {
    return fields;
  }
}
