package io.sealane.runtime.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NativesTest {
  @Test
  void theVersionIsTheOneThatTheDependencyBinds() {
    assertThat(Natives.version()).isEqualTo("2.18.0");
    assertThat(new TensorflowEngineProvider().version()).isEqualTo("2.18.0");
  }

  @Test
  void anotherTensorflowInTheProcessIsFound() {
    String python = "/venv/tensorflow/libtensorflow_framework.so.2";
    String java = "7f0e-7f0f r--p 0000 08:01 12 /usr/lib/jvm/libjvm.so";
    assertThat(Natives.otherTensorflow(List.of(java))).isNull();
    assertThat(Natives.otherTensorflow(List.of(java, "7f1e-7f1f r-xp 0 08:01 13 " + python)))
        .isEqualTo(python);
  }
}
