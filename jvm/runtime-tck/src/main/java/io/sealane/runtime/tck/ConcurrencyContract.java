package io.sealane.runtime.tck;

import static io.sealane.runtime.tck.Coded.refused;
import static io.sealane.runtime.tck.Conformance.bundle;
import static io.sealane.runtime.tck.Conformance.features;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Binding;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import io.sealane.runtime.spi.Cancellation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** What every engine must do when threads meet, and with bound memory. */
public abstract class ConcurrencyContract {
  private static final int THREADS = 8;

  private long openBefore;

  /** The engine's name. */
  protected abstract String engine();

  /** The conformance bundle with this engine's variant of the model {@code mlp}. */
  protected String mlp() {
    return "mlp";
  }

  private Session open() {
    SessionConfig config = SessionConfig.defaults().withEngine(engine()).withIntraOpThreads(1);
    return Sealane.open(bundle(mlp()), config);
  }

  @BeforeEach
  void countOpen() {
    openBefore = Leaks.open();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertThat(Leaks.open()).as("tensors and sessions left open").isEqualTo(openBefore);
  }

  @Test
  void threadsGetTheBitsThatOneThreadGets() throws Exception {
    try (Session session = open()) {
      List<float[]> expected = new ArrayList<>();
      for (int seed = 0; seed < THREADS; seed++) {
        expected.add(EngineContract.score(session, seed + 1, seed));
      }
      inThreads(
          seed -> {
            for (int i = 0; i < 200; i++) {
              assertThat(EngineContract.score(session, seed + 1, seed))
                  .isEqualTo(expected.get(seed));
            }
            return true;
          });
    }
  }

  @RepeatedTest(5)
  void closeDuringRunsDrainsThem() throws Exception {
    Session session = open();
    float[] expected = EngineContract.score(session, 64, 1);
    CountDownLatch running = new CountDownLatch(THREADS - 1);
    inThreads(
        seed -> {
          if (seed == 0) {
            assertThat(running.await(30, TimeUnit.SECONDS)).isTrue();
            session.close();
            return true;
          }
          running.countDown();
          return scoreUntilClosed(session, expected);
        });
    refused(ErrorCode.SESSION_CLOSED, mlp(), () -> EngineContract.score(session, 1, 1));
  }

  /** A run is whole or refused, whenever it is told to stop, and the next one is as ever. */
  @Test
  void runsThatAreToldToStopLeaveTheSessionAsItWas() throws Exception {
    try (Session session = open()) {
      float[] expected = EngineContract.score(session, 64, 1);
      inThreads(
          seed -> {
            for (int i = 0; i < 100; i++) {
              Cancellation cancellation = new Cancellation();
              Thread canceller = new Thread(cancellation::cancel);
              canceller.start();
              scoreUnlessStopped(session, cancellation, expected);
              canceller.join();
              scoreUnlessStopped(session, cancellation, expected);
              assertThat(EngineContract.score(session, 64, 1)).isEqualTo(expected);
            }
            return true;
          });
    }
  }

  private static void scoreUnlessStopped(
      Session session, Cancellation cancellation, float[] expected) {
    try (Tensor features = features(64, 1);
        Outputs outputs = session.run(Map.of("features", features), List.of(), cancellation)) {
      assertThat(outputs.get("scores").floats()).isEqualTo(expected);
    } catch (SealaneException stopped) {
      assertThat(stopped.code()).isEqualTo(ErrorCode.REQUEST_CANCELLED);
    }
  }

  private static boolean scoreUntilClosed(Session session, float[] expected) {
    while (true) {
      try {
        assertThat(EngineContract.score(session, 64, 1)).isEqualTo(expected);
      } catch (SealaneException closed) {
        assertThat(closed.code()).isEqualTo(ErrorCode.SESSION_CLOSED);
        return true;
      }
    }
  }

  @Test
  void anInputClosedDuringARunIsReadToTheEnd() throws Exception {
    try (Session session = open()) {
      float[] expected = EngineContract.score(session, 256, 3);
      for (int i = 0; i < 50; i++) {
        Tensor input = features(256, 3);
        inThreads(
            seed -> {
              if (seed == 0) {
                input.close();
                return true;
              }
              try (Outputs outputs = session.run(Map.of("features", input))) {
                assertThat(outputs.get("scores").floats()).isEqualTo(expected);
              } catch (SealaneException closed) {
                assertThat(closed.code()).isEqualTo(ErrorCode.TENSOR_CLOSED);
              }
              return true;
            });
      }
    }
  }

  @Test
  void boundMemoryGivesTheSameBits() {
    try (Session session = open();
        Binding binding = session.bind(Map.of("batch", 5L))) {
      Tensor input = binding.input("features");
      Tensor output = binding.output("scores");
      assertThat(output.shape()).isEqualTo(Shape.of(5, 3));
      for (int seed = 0; seed < 100; seed++) {
        try (Tensor values = features(5, seed)) {
          values.copyTo(input.buffer());
        }
        binding.run();
        assertThat(output.floats()).isEqualTo(EngineContract.score(session, 5, seed));
      }
    }
  }

  @Test
  void theCallersMemoryCanBeBound() {
    Tensor input = features(2, 7);
    try (Session session = open();
        Tensor output = Tensor.allocate(DataType.FP32, Shape.of(2, 3))) {
      Binding binding = session.bind(Map.of("features", input), Map.of("scores", output));
      input.close();
      binding.run();
      assertThat(output.floats()).isEqualTo(EngineContract.score(session, 2, 7));
      binding.close();
      binding.close();
      refused(ErrorCode.SESSION_CLOSED, "binding", binding::run);
    }
  }

  @Test
  void bindingRefusesWhatDoesNotFit() {
    try (Session session = open();
        Tensor input = features(2, 7);
        Tensor wide = Tensor.allocate(DataType.FP32, Shape.of(2, 4));
        Tensor doubles = Tensor.allocate(DataType.FP64, Shape.of(2, 3))) {
      Map<String, Tensor> inputs = Map.of("features", input);
      refused(
          ErrorCode.INPUT_SHAPE, "'scores'", () -> session.bind(inputs, Map.of("scores", wide)));
      refused(ErrorCode.INPUT_DTYPE, "FP64", () -> session.bind(inputs, Map.of("scores", doubles)));
      refused(ErrorCode.INPUT_UNKNOWN, "'y'", () -> session.bind(inputs, Map.of("y", doubles)));
      refused(ErrorCode.INPUT_SHAPE, "size for each symbol", () -> session.bind(Map.of()));
      refused(ErrorCode.INPUT_SHAPE, "batch >= 1", () -> session.bind(Map.of("batch", 0L)));
    }
  }

  @Test
  void aBindingEndsWithItsSession() {
    Session session = open();
    Binding binding = session.bind(Map.of("batch", 1L));
    session.close();
    refused(ErrorCode.SESSION_CLOSED, mlp(), binding::run);
    binding.close();
  }

  @Test
  void aBindingServesOneThreadAtATime() throws Exception {
    try (Session session = open();
        Binding binding = session.bind(Map.of("batch", 4096L))) {
      inThreads(
          seed -> {
            for (int i = 0; i < 50; i++) {
              try {
                binding.run();
              } catch (SealaneException busy) {
                assertThat(busy.code()).isEqualTo(ErrorCode.ENGINE_RUN_FAILED);
                assertThat(busy).hasMessageContaining("another thread");
              }
            }
            return true;
          });
    }
  }

  /** Work of one thread; the argument counts from 0. */
  private interface Work {
    boolean run(int thread) throws Exception;
  }

  private static void inThreads(Work work) throws InterruptedException, ExecutionException {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      List<Callable<Boolean>> tasks = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int thread = i;
        tasks.add(() -> work.run(thread));
      }
      for (Future<Boolean> done : pool.invokeAll(tasks, 60, TimeUnit.SECONDS)) {
        assertThat(done.get()).isTrue();
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
