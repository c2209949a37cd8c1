package io.sealane.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.spi.Cancellation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CancellationTest {
  private final AtomicInteger stopped = new AtomicInteger();
  private final Cancellation cancellation = new Cancellation();

  @Test
  void whatIsRegisteredRunsOnce() {
    Cancellation.Registration unused = cancellation.onCancel(stopped::incrementAndGet);
    assertThat(cancellation.isCancelled()).isFalse();
    assertThat(stopped).hasValue(0);
    cancellation.cancel();
    cancellation.cancel();
    assertThat(cancellation.isCancelled()).isTrue();
    assertThat(stopped).hasValue(1);
  }

  @Test
  void whatComesTooLateRunsAtOnce() {
    cancellation.cancel();
    cancellation.onCancel(stopped::incrementAndGet).close();
    assertThat(stopped).hasValue(1);
  }

  @Test
  void aRunThatEndedIsNotStopped() {
    Cancellation.Registration registration = cancellation.onCancel(stopped::incrementAndGet);
    registration.close();
    registration.close();
    cancellation.cancel();
    assertThat(stopped).hasValue(0);
  }

  @Test
  void closingWaitsForAnActionThatRuns() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Cancellation.Registration registration =
        cancellation.onCancel(
            () -> {
              entered.countDown();
              awaitQuietly(released);
              stopped.incrementAndGet();
            });
    Thread canceller = new Thread(cancellation::cancel);
    canceller.start();
    entered.await();
    AtomicInteger seen = new AtomicInteger(-1);
    Thread closer =
        new Thread(
            () -> {
              registration.close();
              seen.set(stopped.get());
            });
    closer.start();
    released.countDown();
    closer.join();
    canceller.join();
    assertThat(seen).hasValue(1);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void allMustBeCancelled() {
    Cancellation second = new Cancellation();
    Cancellation all = Cancellation.ofAll(List.of(cancellation, second));
    cancellation.cancel();
    cancellation.cancel();
    assertThat(all.isCancelled()).isFalse();
    second.cancel();
    assertThat(all.isCancelled()).isTrue();
  }

  @Test
  void anEngineThatCanNotStopFinishes() {
    Path mlp = Path.of(System.getProperty("sealane.conformance"), "bundles", "good", "mlp");
    cancellation.cancel();
    try (Session session = Sealane.open(mlp, SessionConfig.defaults().withReplay(Replay.Mode.OFF));
        Tensor x = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4);
        Outputs outputs = session.run(Map.of("features", x), List.of(), cancellation)) {
      assertThat(outputs.get("scores").floats()).hasSize(3);
    }
  }
}
