package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.serving.ModelConfig;
import io.sealane.serving.Shadow;
import io.sealane.serving.Traffic;
import io.sealane.serving.VersionPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
  @TempDir Path folder;

  private ServerConfig config(String yaml, Map<String, String> environment, String... flags)
      throws IOException {
    Path file = Files.writeString(folder.resolve("server.yaml"), yaml);
    List<String> all = new java.util.ArrayList<>(List.of(flags));
    all.addAll(List.of("--config", file.toString(), "--repository", folder.toString()));
    return ServerConfig.of(Settings.of(all, environment));
  }

  @Test
  void flagsStandOverTheEnvironmentAndThatOverTheFile() throws IOException {
    String yaml = "port: 1\npoll: 5s\nmanagement:\n  port: 2\n";
    Map<String, String> environment =
        Map.of("SEALANE_SERVER_PORT", "3", "SEALANE_SERVER_MANAGEMENT_PORT", "4", "PATH", "x");
    ServerConfig config = config(yaml, environment, "--port=5");
    assertThat(config.port()).isEqualTo(5);
    assertThat(config.management().port()).isEqualTo(4);
    assertThat(config.poll()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void aModelsOwnSettingsStandOverThoseOfAll() throws IOException {
    String yaml =
        """
        defaults:
          batching: {max-rows: 16, max-delay: 2ms}
        models:
          resnet.v1:
            versions: all
            labels: {stable: 1.0.0}
            canary: {2.0.0-rc.1: 7.5, 3: 0}
            shadow: {to: "engine:tensorflow", fraction: 5}
            batching: {max-rows: 4}
        """;
    ServerConfig config = config(yaml, Map.of());
    ModelConfig own = config.models().apply("resnet.v1");
    ModelConfig other = config.models().apply("other");
    assertThat(own.versions()).isEqualTo(new VersionPolicy.All());
    assertThat(own.labels()).containsExactly(Map.entry("stable", "1.0.0"));
    assertThat(own.traffic())
        .isEqualTo(
            new Traffic(Map.of("2.0.0-rc.1", 7.5, "3", 0.0), new Shadow("engine:tensorflow", 5)));
    assertThat(own.batching().maxRows()).isEqualTo(4);
    assertThat(own.batching().maxDelay()).isEqualTo(Duration.ofMillis(2));
    assertThat(other.versions()).isEqualTo(new VersionPolicy.Latest(1));
    assertThat(other.batching().maxRows()).isEqualTo(16);
    assertThat(other.traffic()).isEqualTo(Traffic.none());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prot: 1|there is no setting 'prot'",
        "management: {prot: 1}|there is no setting 'management.prot'",
        "models: {a: {batch: 1}}|there is no setting 'models.a.batch'",
        "port: many|port must be 0 to 65535",
        "port: [1]|'port' must be one value",
        "[1]|must hold names and values",
        "'a: b: c'|is not YAML",
        "poll: 5|poll must be such as 500ms",
        "defaults: {batching: {max-rows: 0}}|batching.max-rows must be 1 to",
        "models: {a: {canary: {2: 101}}}|canary.2 must be a percentage from 0 to 100",
        "models: {a: {canary: {2: 60, 3: 60}}}|canary weights must be 0 to 100 each and together",
        "models: {a: {canary: {'2 3': 60}}}|there is no setting 'models.a.canary.2 3'",
        "models: {a.b: {shadow: {fraction: 1e9}}}|shadow.fraction must be a percentage",
        "defaults: {shadow: {to: 'engine:'}}|a shadow is a version, engine:NAME or variant:ID",
        "tls: {key: k}|tls.certificate and tls.key are both needed",
      })
  void whatIsWrongIsNamed(String yaml, String said) {
    assertThatThrownBy(() -> config(yaml, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(said);
  }

  @Test
  void anUnknownVariableAndAFlagWithoutValueAreRefused() {
    assertThatThrownBy(() -> Settings.of(List.of(), Map.of("SEALANE_SERVER_PROT", "1")))
        .hasMessageContaining("SEALANE_SERVER_PROT");
    assertThatThrownBy(() -> Settings.of(List.of("--port"), Map.of()))
        .hasMessageContaining("needs a value");
    assertThatThrownBy(() -> Settings.of(List.of("port"), Map.of()))
        .hasMessageContaining("is no flag");
  }

  @Test
  void theTokenIsNotPrinted() {
    Settings settings = Settings.of(List.of("--management.token", "hush"), Map.of());
    assertThat(settings.effective()).contains("management.token: (set)").doesNotContain("hush");
    assertThat(Settings.help()).contains("management.port", "defaults.batching.max-rows");
  }

  @Test
  void theTokenMayLieInAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("token"), "hush\n");
    ServerConfig config = config("", Map.of("SEALANE_SERVER_MANAGEMENT_TOKEN_FILE", file + ""));
    assertThat(config.management().token()).isEqualTo("hush");
  }

  @ParameterizedTest
  @CsvSource({"absent,", "empty,", "token,hush"})
  void aTokenFileThatSaysNothingOrNotAloneIsRefused(String name, @Nullable String token)
      throws IOException {
    Files.writeString(folder.resolve("empty"), " \n");
    Files.writeString(folder.resolve("token"), "quiet");
    String file = folder.resolve(name).toString();
    String yaml = token == null ? "" : "management: {token: " + token + "}\n";
    assertThatThrownBy(() -> config(yaml, Map.of(), "--management.token-file", file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("management.token-file");
  }
}
