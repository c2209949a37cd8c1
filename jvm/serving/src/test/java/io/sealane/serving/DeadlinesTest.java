package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DeadlinesTest {
  private static final int THREADS = 4;
  private static final int EACH = 5_000;

  /** One in ten is left to its deadline, the others end before; some come too late already. */
  private static final class Watched {
    final Pending pending;
    final boolean ends = ThreadLocalRandom.current().nextInt(10) > 0;
    final long deadline;
    final AtomicInteger expired = new AtomicInteger();
    final AtomicLong late = new AtomicLong();

    Watched() {
      deadline = System.nanoTime() + ThreadLocalRandom.current().nextLong(-5_000_000, 300_000_000);
      InferenceRequest request =
          new InferenceRequest("m", null, Map.of(), List.of(), deadline, 0, null);
      pending = new Pending(request, Observation.NONE, 1, null, 0);
    }

    void watch() {
      Deadlines.watch(
          pending,
          () -> {
            expired.incrementAndGet();
            late.set(System.nanoTime() - deadline);
          });
      if (ends) {
        pending.answer.complete(Map.of());
      }
    }
  }

  @Test
  void eachIsEndedOnceAndNoneBeforeItsTimeOrAfterItsAnswer() throws Exception {
    List<Watched> all = new ArrayList<>();
    for (int i = 0; i < THREADS * EACH; i++) {
      all.add(new Watched());
    }
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      List<Watched> own = all.subList(i * EACH, (i + 1) * EACH);
      threads.add(new Thread(() -> own.forEach(Watched::watch)));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    Until.holds(() -> all.stream().allMatch(each -> each.ends || each.expired.get() > 0));
    for (Watched each : all) {
      if (each.ends) {
        // It may have been overdue before it was answered.
        assertThat(each.expired.get()).isLessThanOrEqualTo(1);
      } else {
        assertThat(each.expired.get()).isEqualTo(1);
      }
      assertThat(each.late.get()).isNotNegative();
    }
  }

  /** Clients choose how far a deadline is: an answered request holds nothing until then. */
  @Test
  void whatHasEndedLeavesNothingBehind() {
    int before = Deadlines.slots();
    for (int hour = 1; hour <= 1000; hour++) {
      Pending pending = pending(hour * 3_600_000_000_000L);
      Deadlines.watch(pending, () -> {});
      pending.answer.complete(Map.of());
    }
    assertThat(Deadlines.slots()).isLessThanOrEqualTo(before);
  }

  @Test
  void theThreadWakesForAnEarlierOne() throws Exception {
    Watched later = new Watched();
    Deadlines.watch(pending(60_000_000_000L), () -> later.expired.incrementAndGet());
    AtomicInteger soon = new AtomicInteger();
    Deadlines.watch(pending(20_000_000L), soon::incrementAndGet);
    Until.holds(() -> soon.get() == 1);
    assertThat(later.expired.get()).isZero();
  }

  @Test
  void oneThatFailsDoesNotKeepTheOthersFromTheirEnd() throws Exception {
    AtomicInteger others = new AtomicInteger();
    for (int i = 0; i < 10; i++) {
      Deadlines.watch(
          pending(10_000_000L),
          () -> {
            if (others.incrementAndGet() % 2 == 0) {
              throw new IllegalStateException("of a test");
            }
          });
    }
    Until.holds(() -> others.get() == 10);
  }

  private static Pending pending(long nanos) {
    InferenceRequest request =
        new InferenceRequest("m", null, Map.of(), List.of(), System.nanoTime() + nanos, 0, null);
    return new Pending(request, Observation.NONE, 1, null, 0);
  }
}
