package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.server.OperationsConfig.Format;
import io.sealane.server.OperationsConfig.Level;
import io.sealane.server.OperationsConfig.Requests;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperationsConfigTest {
  private static OperationsConfig config(String... flags) {
    return OperationsConfig.of(Settings.of(List.of(flags), Map.of()));
  }

  @Test
  void itLogsInTextAndNothingElseByDefault() {
    OperationsConfig config = config();
    assertThat(config.log())
        .isEqualTo(new OperationsConfig.Log(Format.TEXT, Level.INFO, Requests.NONE));
    assertThat(config.tracing())
        .isEqualTo(new OperationsConfig.Tracing("", Map.of(), 1, "sealane-server"));
    assertThat(config.capture().directory()).isEmpty();
    assertThat(config.capture().maxBytes()).isEqualTo(64 << 20);
    assertThat(config.capture().maxFiles()).isEqualTo(16);
    assertThat(config.capture().fraction().applyAsDouble("any")).isEqualTo(1);
  }

  @Test
  void everySettingIsRead() {
    OperationsConfig config =
        config(
            "--log.format=json",
            "--log.level=debug",
            "--log.requests=failures",
            "--tracing.endpoint=https://collector:4318/v1/traces",
            "--tracing.headers=authorization=Basic a=,x-tenant=b",
            "--tracing.sample=0.25",
            "--tracing.service=scores",
            "--capture.directory=/captures",
            "--capture.max-bytes=65536",
            "--capture.max-files=2",
            "--defaults.capture.fraction=0.5",
            "--models.secret.capture.fraction=0");
    assertThat(config.log())
        .isEqualTo(new OperationsConfig.Log(Format.JSON, Level.DEBUG, Requests.FAILURES));
    assertThat(config.tracing())
        .isEqualTo(
            new OperationsConfig.Tracing(
                "https://collector:4318/v1/traces",
                Map.of("authorization", "Basic a=", "x-tenant", "b"),
                0.25,
                "scores"));
    assertThat(config.capture().directory()).isEqualTo("/captures");
    assertThat(config.capture().maxBytes()).isEqualTo(65536);
    assertThat(config.capture().maxFiles()).isEqualTo(2);
    assertThat(config.capture().fraction().applyAsDouble("any")).isEqualTo(0.5);
    assertThat(config.capture().fraction().applyAsDouble("secret")).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "log.format=xml|log.format must be one of text, json, received 'xml'",
        "log.level=loud|log.level must be one of error, warn, info, debug, trace",
        "log.requests=some|log.requests must be one of none, failures, all",
        "tracing.endpoint=collector:4318|tracing.endpoint must be a URL such as",
        "tracing.endpoint=file:///x|tracing.endpoint must be a URL such as",
        "tracing.headers=token|tracing.headers must be NAME=VALUE by comma",
        "tracing.sample=2|tracing.sample must be 0 to 1, received '2'",
        "tracing.sample=NaN|tracing.sample must be 0 to 1",
        "capture.max-bytes=1|capture.max-bytes must be 65536 to",
        "capture.max-files=0|capture.max-files must be 1 to",
      })
  void whatIsWrongIsNamed(String setting, String said) {
    assertThatThrownBy(() -> config("--" + setting))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(said);
  }

  @Test
  void aWrongFractionIsToldAtTheStart() {
    List<String> flags = List.of("--repository=x", "--defaults.capture.fraction=-1");
    assertThatThrownBy(() -> ServerConfig.of(Settings.of(flags, Map.of())))
        .hasMessageContaining("capture.fraction must be 0 to 1, received '-1'");
  }

  @Test
  void whatIsSentToTheReceiverIsNotPrinted() {
    Settings settings = Settings.of(List.of("--tracing.headers=key=hush"), Map.of());
    assertThat(settings.effective()).contains("tracing.headers: (set)").doesNotContain("hush");
  }
}
