package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.serving.InferenceRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestsTest {
  private static InferenceRequest scheduled(Map<String, Object> parameters, long timeout) {
    V2Request request = new V2Request("", parameters, Map.of(), List.of(), false);
    return Requests.of("m", null, request, timeout);
  }

  private static int priority(Map<String, Object> parameters) {
    return scheduled(parameters, 0).priority();
  }

  @Test
  void prioritiesAreTritons() {
    assertThat(priority(Map.of("priority", 1L))).isLessThan(priority(Map.of("priority", 2L)));
    assertThat(priority(Map.of("priority", 2L))).isLessThan(priority(Map.of()));
    assertThat(priority(Map.of("priority", 0L))).isEqualTo(priority(Map.of()));
  }

  @Test
  void theClientsTimeoutStandsOverTheServers() {
    long now = System.nanoTime();
    Long own = scheduled(Map.of("timeout", 5_000_000L), 60_000_000_000L).deadline();
    Long servers = scheduled(Map.of(), 60_000_000_000L).deadline();
    assertThat(own).isBetween(now + 5_000_000_000L, now + 15_000_000_000L);
    assertThat(servers).isBetween(now + 60_000_000_000L, now + 70_000_000_000L);
    assertThat(scheduled(Map.of(), 0).deadline()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"triton_x", "headers", "sequence_id", "priority", "timeout"})
  void whatIsRefusedIsClosed(String parameter) {
    Tensor tensor = Tensor.fp32(Shape.of(1), 1);
    V2Request request =
        new V2Request("", Map.of(parameter, -1L), Map.of("x", tensor), List.of(), false);
    assertThatThrownBy(() -> Requests.of("m", null, request, 0)).hasMessageContaining(parameter);
    assertThat(tensor.isClosed()).isTrue();
  }
}
