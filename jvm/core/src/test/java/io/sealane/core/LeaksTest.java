package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaksTest {
  private static final Shape TWO = Shape.of(2);

  private final List<Leaks.Leak> leaks = new CopyOnWriteArrayList<>();
  private final AtomicInteger freed = new AtomicInteger();

  @AfterEach
  void quiet() {
    Leaks.onLeak(leak -> {});
    Leaks.recordCreation(false);
  }

  private Tensor adopted() {
    ByteBuffer memory = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
    return Tensor.adopt(DataType.FP32, TWO, memory, freed::incrementAndGet);
  }

  @Test
  void aForgottenTensorIsReclaimedAndReported() {
    Leaks.onLeak(leaks::add);
    Leaks.recordCreation(true);
    long open = Leaks.open();
    forget();
    collectUntil(() -> leaks.size() == 1);
    assertThat(freed).hasValue(1);
    assertThat(Leaks.open()).isEqualTo(open);
    assertThat(leaks.get(0).what()).isEqualTo("Tensor FP32[2]");
    assertThat(leaks.get(0).createdAt()).hasStackTraceContaining("forget");
  }

  private void forget() {
    assertThat(adopted().floats()).hasSize(2);
  }

  @Test
  void aClosedTensorIsNotReported() {
    Leaks.onLeak(leaks::add);
    adopted().close();
    assertThat(freed).hasValue(1);
    forget();
    collectUntil(() -> leaks.size() == 1);
    assertThat(freed).hasValue(2);
  }

  @Test
  void aViewKeepsItsMemoryAfterClose() {
    Tensor tensor = adopted();
    var view = tensor.asFloatBuffer();
    tensor.close();
    collect();
    assertThat(freed).hasValue(0);
    assertThat(view.get(1)).isZero();
  }

  private void viewAndClose() {
    try (Tensor tensor = adopted()) {
      assertThat(tensor.asFloatBuffer().get(0)).isZero();
    }
  }

  @Test
  void viewedMemoryIsFreedWhenTheViewIsGone() {
    viewAndClose();
    collectUntil(() -> freed.get() == 1);
  }

  private static void collect() {
    System.gc();
    try {
      Thread.sleep(20);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  private static void collectUntil(BooleanSupplier done) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!done.getAsBoolean()) {
      assertThat(System.nanoTime()).as("not collected in time").isLessThan(deadline);
      collect();
    }
  }
}
