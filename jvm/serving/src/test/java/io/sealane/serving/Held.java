package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Tensor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Keeps one worker busy until it is closed: the worker waits in the callback of an answer. */
final class Held implements AutoCloseable {
  private final Thread caller = Thread.currentThread();
  private final CountDownLatch reached = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private volatile boolean tooLate;

  private Held() {}

  /** Asks with requests made by {@code any} until a worker of the batcher is caught. */
  static Held worker(Batcher batcher, Supplier<InferenceRequest> any) throws InterruptedException {
    return by(
        () ->
            batcher
                .submit(any.get())
                .thenAccept(outputs -> outputs.values().forEach(Tensor::close)));
  }

  /** Asks until a worker is caught. */
  static Held by(Supplier<CompletableFuture<Void>> ask) throws InterruptedException {
    Held held = new Held();
    while (!held.caught(ask.get())) {
      held = new Held();
    }
    return held;
  }

  private boolean caught(CompletableFuture<Void> answer) throws InterruptedException {
    CompletableFuture<?> unused = answer.whenComplete((nothing, error) -> stay());
    assertThat(reached.await(30, TimeUnit.SECONDS)).isTrue();
    return !tooLate;
  }

  private void stay() {
    // An answer that was there already calls back on the thread that asks.
    tooLate = Thread.currentThread() == caller;
    reached.countDown();
    try {
      assertThat(tooLate || released.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    released.countDown();
  }
}
