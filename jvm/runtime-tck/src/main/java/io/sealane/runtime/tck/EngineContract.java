package io.sealane.runtime.tck;

import static io.sealane.runtime.tck.Coded.refused;
import static io.sealane.runtime.tck.Conformance.bundle;
import static io.sealane.runtime.tck.Conformance.features;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every engine must do with the conformance bundles. After each test nothing is left open. */
public abstract class EngineContract {
  private long openBefore;
  private long foundBefore;

  /** The engine's name. */
  protected abstract String engine();

  /** The conformance bundles that have a variant for this engine. */
  protected abstract List<String> bundles();

  /**
   * The conformance bundle with this engine's variant of a model: {@code mlp}, {@code external},
   * {@code dtypes} or {@code strings}. Where {@link #bundles} does not have it, the tests on that
   * model are skipped.
   */
  protected String bundleOf(String model) {
    return model;
  }

  /** Opens the bundle of a model on this engine, strict. */
  protected final Session open(String model) {
    String name = bundleOf(model);
    assumeTrue(bundles().contains(name), "engine " + engine() + " has no variant of " + model);
    return openBundle(name);
  }

  private Session openBundle(String name) {
    return Sealane.open(bundle(name), SessionConfig.defaults().withEngine(engine()));
  }

  @BeforeEach
  void countOpen() {
    openBefore = Leaks.open();
    foundBefore = Leaks.found();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(Leaks.open()).as("tensors and sessions left open").isEqualTo(openBefore);
    assertThat(Leaks.found()).as("leaks").isEqualTo(foundBefore);
  }

  @Test
  void conformanceBundlesReplayStrictly() {
    for (String name : bundles()) {
      try (Session session = openBundle(name)) {
        Replay replay = requireNonNull(session.replay());
        assertThat(replay.passed()).as(name).isTrue();
        assertThat(replay.cases()).as(name).isNotEmpty();
        assertThat(session.engine()).isEqualTo(engine());
        assertThat(session.engineVersion()).isNotEmpty();
        assertThat(session.settings()).isNotEmpty();
      }
    }
  }

  @Test
  void theBundleIsNotNeededOnceOpen(@TempDir Path folder) throws IOException {
    Path copy = folder.resolve("copy");
    for (String name : new TreeSet<>(List.of(bundleOf("mlp"), bundleOf("external")))) {
      copyTree(bundle(name), copy);
      try (Session session = Sealane.open(copy, SessionConfig.defaults().withEngine(engine()))) {
        deleteTree(copy);
        assertThat(score(session, 3, 1)).hasSize(9);
      }
    }
  }

  @Test
  void everyDtypeKeepsItsBits() {
    try (Session session = open("dtypes")) {
      for (int size : new int[] {0, 1, 5}) {
        Map<String, Tensor> inputs = patterns(session, size);
        try (Outputs outputs = session.run(inputs)) {
          for (DataType dtype : DataType.values()) {
            Tensor in = requireNonNull(inputs.get("in_" + dtype));
            Tensor out = outputs.get("out_" + dtype);
            assertThat(out.dtype()).isEqualTo(dtype);
            assertThat(out.shape()).isEqualTo(Shape.of(size));
            assertThat(content(out)).as(dtype + " of " + size).isEqualTo(content(in));
          }
        }
        inputs.values().forEach(Tensor::close);
      }
    }
  }

  @Test
  void outputsCanBeChosen() {
    try (Session session = open("dtypes")) {
      Map<String, Tensor> inputs = patterns(session, 2);
      try (Outputs outputs = session.run(inputs, List.of("out_INT8", "out_FP64", "out_INT8"))) {
        assertThat(outputs.asMap().keySet()).containsExactly("out_INT8", "out_FP64");
        refused(ErrorCode.INPUT_UNKNOWN, "out_BOOL", () -> outputs.get("out_BOOL"));
      }
      refused(ErrorCode.INPUT_UNKNOWN, "'nowhere'", () -> session.run(inputs, List.of("nowhere")));
      inputs.values().forEach(Tensor::close);
    }
  }

  @Test
  void badInputsAreRefusedAndTheSessionGoesOn() {
    try (Session session = open("mlp");
        Tensor good = features(2, 1);
        Tensor doubles = Tensor.fp64(Shape.of(1, 4), 1, 2, 3, 4);
        Tensor narrow = Tensor.fp32(Shape.of(1, 3), 1, 2, 3);
        Tensor flat = Tensor.fp32(Shape.of(4), 1, 2, 3, 4);
        Tensor none = Tensor.fp32(Shape.of(0, 4));
        Tensor many = Tensor.allocate(DataType.FP32, Shape.of(4097, 4))) {
      refused(ErrorCode.INPUT_MISSING, "'features' is missing", () -> session.run(Map.of()));
      refused(
          ErrorCode.INPUT_UNKNOWN,
          "'extra'",
          () -> session.run(Map.of("features", good, "extra", good)));
      refused(ErrorCode.INPUT_UNKNOWN, "'x'", () -> session.run(Map.of("x", good)));
      refused(ErrorCode.INPUT_DTYPE, "received FP64", () -> run(session, doubles));
      refused(ErrorCode.INPUT_SHAPE, "4 at axis 1", () -> run(session, narrow));
      refused(ErrorCode.INPUT_SHAPE, "rank 2", () -> run(session, flat));
      refused(ErrorCode.INPUT_SHAPE, "batch >= 1", () -> run(session, none));
      refused(ErrorCode.INPUT_SHAPE, "<= 4096", () -> run(session, many));
      assertThat(score(session, 2, 1)).hasSize(6);
    }
  }

  @Test
  void badTextAndMissingValuesAreRefused() {
    try (Session session = open("strings");
        Tensor carrier = Tensor.bytes(Shape.of(2), "AA", null);
        Tensor lone = Tensor.bytes(Shape.of(2), "AA", "x\ud83d");
        Tensor distance = Tensor.fp32(Shape.of(2), Float.NaN, 2048);
        Tensor far = Tensor.fp32(Shape.of(2), 0, 8193);
        Tensor one = Tensor.fp32(Shape.of(1), 0)) {
      refused(
          ErrorCode.INPUT_DOMAIN,
          "input 'distance', row 1",
          () -> session.run(Map.of("carrier", carrier, "distance", far)));
      refused(
          ErrorCode.INPUT_SHAPE,
          "batch = 2",
          () -> session.run(Map.of("carrier", carrier, "distance", one)));
      refused(
          ErrorCode.INPUT_DTYPE,
          "row 1",
          () -> session.run(Map.of("carrier", lone, "distance", distance)));
      try (Outputs outputs = session.run(Map.of("carrier", carrier, "distance", distance))) {
        assertThat(outputs.get("score").floats()).containsExactly(3f, 8.5f);
        assertThat(outputs.get("label").strings()).containsExactly("short", "long");
      }
    }
  }

  @Test
  void useAfterCloseIsRefused() {
    Session session = open("mlp");
    session.close();
    session.close();
    try (Tensor input = features(1, 1)) {
      refused(ErrorCode.SESSION_CLOSED, bundleOf("mlp"), () -> run(session, input));
      refused(ErrorCode.SESSION_CLOSED, bundleOf("mlp"), () -> session.bind(Map.of("batch", 1L)));
    }
    assertThat(session.signature().inputs()).hasSize(1);
  }

  @Test
  void outputsOutliveTheSession() {
    Session session = open("mlp");
    float[] expected = score(session, 4, 2);
    Tensor input = features(4, 2);
    Outputs outputs = session.run(Map.of("features", input));
    session.close();
    input.close();
    assertThat(outputs.get("scores").floats()).isEqualTo(expected);
    Tensor kept = outputs.get("scores").share();
    outputs.close();
    refused(ErrorCode.TENSOR_CLOSED, "after close", () -> outputs.get("scores").floats());
    assertThat(kept.floats()).isEqualTo(expected);
    kept.close();
  }

  @Test
  void anOutputCanBeTheNextInput() {
    try (Session session = open("dtypes")) {
      Map<String, Tensor> inputs = patterns(session, 3);
      Outputs first = session.run(inputs);
      Map<String, Tensor> again = new HashMap<>();
      first.asMap().forEach((name, tensor) -> again.put(name.replace("out_", "in_"), tensor));
      try (Outputs second = session.run(again)) {
        for (DataType dtype : DataType.values()) {
          assertThat(content(second.get("out_" + dtype)))
              .isEqualTo(content(requireNonNull(inputs.get("in_" + dtype))));
        }
      }
      first.close();
      inputs.values().forEach(Tensor::close);
    }
  }

  @Test
  void aClosedInputIsRefused() {
    try (Session session = open("mlp")) {
      Tensor input = features(1, 1);
      input.close();
      refused(ErrorCode.TENSOR_CLOSED, "after close", () -> run(session, input));
      assertThat(score(session, 1, 1)).hasSize(3);
    }
  }

  private static void run(Session session, Tensor features) {
    session.run(Map.of("features", features)).close();
  }

  /** The scores of {@link Conformance#features}. */
  protected static float[] score(Session session, int batch, int seed) {
    try (Tensor input = features(batch, seed);
        Outputs outputs = session.run(Map.of("features", input))) {
      return outputs.get("scores").floats();
    }
  }

  private static Map<String, Tensor> patterns(Session session, int size) {
    Map<String, Tensor> inputs = new HashMap<>();
    for (TensorSpec spec : session.signature().inputs()) {
      inputs.put(spec.name(), pattern(spec.dtype(), size));
    }
    return inputs;
  }

  /** Values with the sign bit set and clear; NaN payloads are not used. */
  private static Tensor pattern(DataType dtype, int size) {
    if (dtype == DataType.BYTES) {
      String[] words = {"", "a", "日本", "😀 mixed é", "\uffff"};
      return Tensor.bytes(Shape.of(size), Arrays.copyOf(words, size));
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(size * dtype.width()).order(ByteOrder.nativeOrder());
    for (int i = 0; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) (dtype == DataType.BOOL ? i & 1 : 0x31 + i * 0x55));
    }
    return Tensor.wrap(dtype, Shape.of(size), bytes);
  }

  private static Object content(Tensor tensor) {
    return tensor.dtype() == DataType.BYTES
        ? List.of(tensor.strings())
        : tensor.read(bytes -> ByteBuffer.allocate(bytes.remaining()).put(bytes).flip());
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static void deleteTree(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
