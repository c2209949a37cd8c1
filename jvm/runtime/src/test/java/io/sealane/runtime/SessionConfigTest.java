package io.sealane.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sealane.bundle.Limits;
import io.sealane.bundle.Policy;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SessionConfigTest {
  @Test
  void defaults() {
    assertThat(SessionConfig.of(Map.of()))
        .isEqualTo(
            new SessionConfig(
                null,
                null,
                0,
                0,
                true,
                Optimisation.ALL,
                Replay.Mode.STRICT,
                Policy.none(),
                Limits.defaults(),
                null));
  }

  @Test
  void everySettingHasAName() {
    Map<String, String> settings =
        Map.of(
            "engine", "onnx",
            "variant", "onnx-int8",
            "intra-op-threads", "3",
            "inter-op-threads", "2",
            "spinning", "false",
            "optimisation", "basic",
            "replay", "warn");
    SessionConfig config = SessionConfig.of(settings);
    assertThat(config)
        .isEqualTo(
            SessionConfig.defaults()
                .withEngine("onnx")
                .withVariant("onnx-int8")
                .withIntraOpThreads(3)
                .withInterOpThreads(2)
                .withSpinning(false)
                .withOptimisation(Optimisation.BASIC)
                .withReplay(Replay.Mode.WARN));
    assertThat(config.settings()).isEqualTo(settings);
  }

  @Test
  void whatIsUnknownOrDoesNotParseIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SessionConfig.of(Map.of("threads", "1")))
        .withMessageContaining("unknown setting 'threads'; known are [engine, inter-op-threads,");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SessionConfig.of(Map.of("intra-op-threads", "two")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SessionConfig.of(Map.of("intra-op-threads", "-1")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SessionConfig.of(Map.of("spinning", "yes")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SessionConfig.of(Map.of("replay", "STRICT")))
        .withMessageContaining("no value 'STRICT'");
  }
}
