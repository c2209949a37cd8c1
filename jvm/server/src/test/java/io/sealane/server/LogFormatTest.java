package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogFormatTest {
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

  private static LogRecord record(String message, Map<String, Object> fields) {
    LogRecord record = new LogFields(Level.INFO, "io.sealane.requests", message, fields);
    record.setInstant(TIME);
    return record;
  }

  private static String text(LogRecord record) {
    return new LogFormat(false).format(record);
  }

  private static JsonNode json(LogRecord record) throws Exception {
    String line = new LogFormat(true).format(record);
    assertThat(line.strip().lines()).hasSize(1);
    return new ObjectMapper().readTree(line);
  }

  private static Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("status", 200);
    fields.put("ms", 1.5);
    fields.put("model", "scores");
    fields.put("path", "/a b");
    return fields;
  }

  @Test
  void aLineOfTextHasItsFieldsBehindIt() {
    assertThat(text(record("GET /", fields())))
        .isEqualTo(
            "2026-01-02T03:04:05.678Z INFO  io.sealane.requests: GET / status=200 ms=1.5"
                + " model=scores path=\"/a b\"\n");
  }

  @Test
  void aLineOfJsonHasNumbersAsNumbers() throws Exception {
    assertThat(json(record("GET /", fields())).toString())
        .isEqualTo(
            "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"INFO\","
                + "\"logger\":\"io.sealane.requests\",\"message\":\"GET /\","
                + "\"status\":200,\"ms\":1.5,\"model\":\"scores\",\"path\":\"/a b\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "m\n2026-01-02T03:04:05.678Z ERROR x: false",
        "m\r\nx",
        "m\" status=500",
        "m\u2028x",
        "m\u001b[31mred",
        "m\u202egnp",
        "m\u0000x",
        "m\ud800x",
      })
  void whatAClientSendsStaysInItsField(String name) throws Exception {
    LogRecord record = record(name, Map.of("model", name));
    String line = text(record);
    assertThat(line).endsWith("\"\n").doesNotContain("\u001b", "\u0000", "\u202e", "\u2028");
    assertThat(line.strip().lines()).hasSize(1);
    assertThat(line).doesNotContain("=\"m\" ");
    String told = json(record).get("model").asText();
    if (name.contains("\ud800")) {
      assertThat(told).startsWith("m").endsWith("x");
    } else {
      assertThat(told).isEqualTo(name);
    }
  }

  @Test
  void whatWasThrownStandsBelow() throws Exception {
    LogRecord record = new LogRecord(Level.SEVERE, "it failed");
    record.setLoggerName("a.B");
    record.setThrown(new IllegalStateException("why\n2026 ERROR x: not"));
    assertThat(text(record).lines().skip(1)).isNotEmpty().allMatch(line -> line.startsWith("  "));
    JsonNode line = json(record);
    assertThat(line.get("level").asText()).isEqualTo("ERROR");
    assertThat(line.get("exception").asText()).contains("why", "LogFormatTest");
  }

  @Test
  void whatIsToldAtTheStartIsPlainInText() throws Exception {
    LogRecord record = new LogRecord(Level.INFO, "listening on 127.0.0.1:1");
    assertThat(text(record)).isEqualTo("listening on 127.0.0.1:1\n");
    assertThat(json(record).get("message").asText()).isEqualTo("listening on 127.0.0.1:1");
  }
}
