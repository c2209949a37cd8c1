package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  private final Statistics statistics = new Statistics();

  private static void requireTimed(Statistics.Timed timed, long count, long nanos) {
    assertThat(List.of(timed.count(), timed.nanos())).containsExactly(count, nanos);
  }

  @Test
  void nothingWasDoneAtFirst() {
    assertThat(statistics.executions()).isZero();
    assertThat(statistics.rows()).isZero();
    assertThat(statistics.lastRun()).isZero();
    assertThat(statistics.runs()).isEmpty();
    requireTimed(statistics.success(), 0, 0);
  }

  @Test
  void largeRunsAreCountedByPowersOfTwo() {
    for (long rows : new long[] {64, 65, 128, 129, 4096}) {
      statistics.ran(rows, 1, 0, 1, 0);
    }
    assertThat(statistics.runs().keySet()).containsExactly(64L, 128L, 256L, 4096L);
    assertThat(statistics.rows()).isEqualTo(64 + 65 + 128 + 129 + 4096);
  }

  @Test
  void runsCountOnceAndTheirTimeForEachRequest() {
    long before = System.currentTimeMillis();
    statistics.ran(8, 3, 10, 100, 1);
    statistics.ran(8, 2, 5, 50, 2);
    statistics.ran(1, 1, 0, 7, 0);
    assertThat(statistics.executions()).isEqualTo(3);
    assertThat(statistics.rows()).isEqualTo(17);
    requireTimed(statistics.phases().gathering(), 6, 3 * 10 + 2 * 5);
    requireTimed(statistics.phases().running(), 6, 3 * 100 + 2 * 50 + 7);
    requireTimed(statistics.phases().parting(), 6, 3 * 1 + 2 * 2);
    assertThat(statistics.runs().keySet()).containsExactly(1L, 8L);
    requireTimed(statistics.runs().get(8L).gathering(), 2, 15);
    requireTimed(statistics.runs().get(8L).running(), 2, 150);
    requireTimed(statistics.runs().get(8L).parting(), 2, 3);
    requireTimed(statistics.runs().get(1L).running(), 1, 7);
    assertThat(statistics.lastRun()).isBetween(before, System.currentTimeMillis());
  }

  @Test
  void answersCountTheirWaitAndWhole() {
    statistics.answered(10, 100);
    statistics.answered(20, 200);
    requireTimed(statistics.queue(), 2, 30);
    requireTimed(statistics.success(), 2, 300);
  }

  @Test
  void othersCountApart() {
    statistics.failed(5);
    statistics.failed(0);
    statistics.gaveUp(7);
    statistics.overloaded();
    statistics.overloaded();
    statistics.overloaded();
    requireTimed(statistics.failure(), 2, 5);
    requireTimed(statistics.cancelled(), 1, 7);
    requireTimed(statistics.refused(), 3, 0);
    requireTimed(statistics.success(), 0, 0);
    assertThat(statistics.executions()).isZero();
  }

  @Test
  void whatWasHandedOutDoesNotChangeByNewSizes() {
    statistics.ran(1, 1, 0, 1, 0);
    var runs = statistics.runs();
    statistics.ran(2, 1, 0, 1, 0);
    assertThat(runs).containsOnlyKeys(1L);
  }

  @Test
  void threadsLoseNoCount() throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          new Thread(
              () -> {
                for (int j = 0; j < 10_000; j++) {
                  statistics.ran(1 + j % 3, 1, 1, 1, 0);
                  statistics.answered(1, 1);
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Statistics.Runs now = statistics.phases();
        now.running().count() < 40_000;
        now = statistics.phases()) {
      assertThat(now.gathering().count()).isEqualTo(now.running().count());
      assertThat(now.parting().count()).isEqualTo(now.running().count());
    }
    for (Thread each : threads) {
      each.join();
    }
    assertThat(statistics.executions()).isEqualTo(40_000);
    requireTimed(statistics.success(), 40_000, 40_000);
    requireTimed(statistics.phases().running(), 40_000, 40_000);
  }
}
