package io.sealane.runtime.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.DataType;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every engine must refuse: {@link BadInputs}, each with its code, and the session goes on.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BadInputContract {
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private final BadInputs table = BadInputs.read();
  private Session session;

  /** The engine's name. */
  protected abstract String engine();

  /** The conformance bundle with this engine's variant of the model that the table names. */
  protected String bundleOf(String model) {
    return model;
  }

  @BeforeAll
  void open() {
    SessionConfig config = SessionConfig.defaults().withEngine(engine());
    session = Sealane.open(Conformance.bundle(bundleOf(table.bundle())), config);
  }

  @AfterAll
  void close() {
    session.close();
  }

  List<BadInputs.Case> cases() {
    return table.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aBadInputIsRefusedWithItsCode(BadInputs.Case bad) {
    Map<String, BadInputs.Value> values = new HashMap<>(table.good());
    bad.remove().forEach(values::remove);
    values.putAll(bad.change());
    long started = System.nanoTime();
    SealaneException refusal =
        catchThrowableOfType(SealaneException.class, () -> run(values, bad.outputs()).close());
    Duration taken = Duration.ofNanos(System.nanoTime() - started);
    assertThat(refusal).as("must be refused with %s", bad.code()).isNotNull();
    assertThat(refusal.code()).as(refusal.getMessage()).isEqualTo(bad.code());
    if (bad.input() != null) {
      assertThat(refusal.details()).containsEntry("input", bad.input());
    }
    if (bad.row() != null) {
      assertThat(refusal.details()).containsEntry("row", bad.row());
    }
    assertThat(taken).isLessThan(LIMIT);
    goodInputsPass();
  }

  private void goodInputsPass() {
    try (Outputs outputs = run(table.good(), List.of())) {
      table
          .good()
          .forEach(
              (name, value) -> {
                try (Tensor expected = value.tensor()) {
                  Tensor found = outputs.get(name + "_out");
                  assertThat(found.shape()).isEqualTo(expected.shape());
                  assertThat(content(found)).as(name).isEqualTo(content(expected));
                }
              });
    }
  }

  private Outputs run(Map<String, BadInputs.Value> values, List<String> outputs) {
    Map<String, Tensor> inputs = new HashMap<>();
    try {
      values.forEach((name, value) -> inputs.put(name, value.tensor()));
      return outputs.isEmpty() ? session.run(inputs) : session.run(inputs, outputs);
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private static Object content(Tensor tensor) {
    return tensor.dtype() == DataType.BYTES
        ? List.of(tensor.strings())
        : tensor.read(bytes -> ByteBuffer.allocate(bytes.remaining()).put(bytes).flip());
  }
}
