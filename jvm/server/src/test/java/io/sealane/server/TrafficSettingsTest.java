package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The body that sets canary weights says what the setting says, and is refused as that is. */
class TrafficSettingsTest {
  private static Map<String, Double> canary(String body) {
    return TrafficSettings.canary(body.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void weightsAreRead() {
    assertThat(canary("{\"canary\": {\"2.0.0-rc.1\": 7.5, \"3\": \"0\"}}"))
        .isEqualTo(Map.of("2.0.0-rc.1", 7.5, "3", 0.0));
    assertThat(canary("{\"canary\": {}}")).isEmpty();
    assertThat(canary("{\"canary\": {\"a\": 99.999999, \"b\": 0.000001}}")).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"canary\": {\"2\": 101}}|canary.2 must be a percentage from 0 to 100, received '101'",
        "{\"canary\": {\"2\": -1}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": 1e1}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": NaN}}|must be a percentage",
        "{\"canary\": {\"2\": null}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": true}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": [10]}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": {\"0\": 10}}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": \"ten\"}}|canary.2 must be a percentage",
        "{\"canary\": {\"2\": 60, \"3\": 60}}|canary weights must be 0 to 100 each and together",
        "{\"canary\": {\"2\": 1, \"2\": 2}}|'2' is there twice",
        "{\"canary\": {\"2 3\": 60}}|'2 3' is no version",
        "{\"canary\": {\"\": 60}}|'' is no version",
        "{\"canary\": [10]}|the body must be {\"canary\": {VERSION: PERCENT",
        "{\"canary\": null}|the body must be {\"canary\"",
        "{\"canary\": {}, \"shadow\": {}}|the body must be {\"canary\"",
        "{}|the body must be {\"canary\"",
        "[]|the body must be a JSON object",
        "{\"canary\": |the body is not JSON",
      })
  void whatIsWrongIsRefused(String body, String said) {
    assertThatThrownBy(() -> canary(body))
        .isInstanceOfSatisfying(
            SealaneException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.REQUEST_INVALID))
        .hasMessageContaining(said);
  }

  @Test
  void aBodyThatIsTooLargeIsRefused() {
    String spaces = " ".repeat(1 << 16);
    assertThatThrownBy(() -> canary("{\"canary\": {}}" + spaces))
        .hasMessageContaining("at most 65536 bytes");
  }
}
