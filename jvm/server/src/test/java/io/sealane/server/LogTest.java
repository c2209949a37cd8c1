package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sealane.server.OperationsConfig.Format;
import io.sealane.server.OperationsConfig.Level;
import io.sealane.server.OperationsConfig.Requests;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LogTest {
  private static final OperationsConfig.Log CONFIG =
      new OperationsConfig.Log(Format.TEXT, Level.WARN, Requests.ALL);

  private static LogRecord record(java.util.logging.Level level, String message) {
    return new LogFields(level, "a.B", message, Map.of());
  }

  private static double dropped(Log log) {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    log.bindTo(registry);
    return registry.get("sealane.log.dropped").functionCounter().count();
  }

  @Test
  void whatIsLoggedIsThereAtTheEndFromTheLevelOn() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Log log = new Log(out, CONFIG);
    log.publish(record(java.util.logging.Level.INFO, "no"));
    log.publish(record(java.util.logging.Level.WARNING, "yes"));
    log.tell("always");
    log.close();
    log.close();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("a.B: yes\nalways\n");
    assertThat(out.toString(StandardCharsets.UTF_8)).doesNotContain("no");
    log.tell("too late");
    assertThat(dropped(log)).isEqualTo(1);
  }

  @Test
  void whereNobodyReadsRecordsAreDroppedAndNobodyWaits() throws Exception {
    try (PipedInputStream reader = new PipedInputStream();
        PipedOutputStream pipe = new PipedOutputStream(reader)) {
      Log log = new Log(pipe, CONFIG);
      int records = 20_000;
      for (int i = 0; i < records; i++) {
        log.tell("line " + i);
      }
      // What waits is bounded, and what the pipe holds.
      assertThat(dropped(log)).isGreaterThan(records - 4096 - 1024);
      log.close();
      assertThat(reader.available()).isPositive();
    }
  }

  @Test
  void aBrokenPipeEndsTheLogAndNothingElse() throws Exception {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int one) throws IOException {
            throw new IOException("broken pipe");
          }
        };
    Log log = new Log(broken, CONFIG);
    log.tell("first");
    log.close();
    log.tell("second");
    assertThat(dropped(log)).isEqualTo(1);
  }
}
