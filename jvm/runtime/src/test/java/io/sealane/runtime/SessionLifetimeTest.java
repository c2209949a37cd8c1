package io.sealane.runtime;

import static io.sealane.runtime.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SessionLifetimeTest {
  private static final Path MLP =
      Path.of(System.getProperty("sealane.conformance"), "bundles", "good", "mlp");

  private static Session open() {
    return Sealane.open(MLP, SessionConfig.defaults().withReplay(Replay.Mode.OFF));
  }

  private static void run(Session session) {
    try (Tensor x = Tensor.fp32(Shape.of(1, 4), 1, 2, 3, 4);
        Outputs outputs = session.run(Map.of("features", x))) {
      assertThat(outputs.get("scores").floats()).hasSize(3);
    }
  }

  @AfterEach
  void letRunsGo() {
    FakeEngine.RUNS.drainPermits();
    FakeEngine.RUNS.release(Integer.MAX_VALUE);
    Leaks.onLeak(leak -> {});
  }

  @Test
  void closeWaitsForRunsAndFreesOnce() throws InterruptedException {
    Session session = open();
    int closed = FakeEngine.CLOSED.get();
    FakeEngine.RUNS.drainPermits();
    Thread runner = new Thread(() -> run(session));
    runner.start();
    await(() -> FakeEngine.RUNS.hasQueuedThreads());
    List<Thread> closers = List.of(new Thread(session::close), new Thread(session::close));
    closers.forEach(Thread::start);
    await(() -> session.lifetime().isClosed());
    refused(ErrorCode.SESSION_CLOSED, "mlp", () -> run(session));
    TimeUnit.MILLISECONDS.sleep(50);
    assertThat(FakeEngine.CLOSED).hasValue(closed);
    assertThat(closers).allMatch(Thread::isAlive);
    FakeEngine.RUNS.release(Integer.MAX_VALUE);
    runner.join();
    for (Thread closer : closers) {
      closer.join();
    }
    session.close();
    assertThat(FakeEngine.CLOSED).hasValue(closed + 1);
  }

  @Test
  void anInterruptedCloseStillDrains() throws InterruptedException {
    Session session = open();
    int closed = FakeEngine.CLOSED.get();
    FakeEngine.RUNS.drainPermits();
    Thread runner = new Thread(() -> run(session));
    runner.start();
    await(() -> FakeEngine.RUNS.hasQueuedThreads());
    boolean[] interrupted = new boolean[1];
    Thread closer =
        new Thread(
            () -> {
              session.close();
              interrupted[0] = Thread.currentThread().isInterrupted();
            });
    closer.start();
    closer.interrupt();
    await(() -> session.lifetime().isClosed());
    FakeEngine.RUNS.release(Integer.MAX_VALUE);
    runner.join();
    closer.join();
    assertThat(interrupted[0]).isTrue();
    assertThat(FakeEngine.CLOSED).hasValue(closed + 1);
  }

  @Test
  void aForgottenSessionIsReclaimedAndReported() {
    List<String> leaks = new CopyOnWriteArrayList<>();
    Leaks.onLeak(leak -> leaks.add(leak.what()));
    int closed = FakeEngine.CLOSED.get();
    forget();
    await(
        () -> {
          System.gc();
          return FakeEngine.CLOSED.get() == closed + 1;
        });
    await(() -> leaks.contains("Session of mlp 1.0.0"));
  }

  private static void forget() {
    run(open());
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException interrupted) {
        throw new IllegalStateException(interrupted);
      }
    }
  }
}
