package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchingTest {
  private static void refused(int maxRows, Duration maxDelay, int queue, int workers) {
    assertThatThrownBy(() -> new Batching(maxRows, maxDelay, queue, workers))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(maxRows + ", " + queue + ", " + workers + ", " + maxDelay);
  }

  @Test
  void numbersThatMeanNothingAreRefused() {
    refused(0, Duration.ZERO, 1, 1);
    refused(1, Duration.ZERO, 0, 1);
    refused(1, Duration.ZERO, 1, 0);
    refused(1, Duration.ofNanos(-1), 1, 1);
    refused(1, Duration.ofSeconds(Long.MAX_VALUE), 1, 1);
    assertThat(new Batching(1, Duration.ofDays(1), 1, 1).maxDelay()).isEqualTo(Duration.ofDays(1));
  }

  @Test
  void offGathersNothing() {
    assertThat(Batching.off().maxRows()).isEqualTo(1);
    assertThat(Batching.off().maxDelay()).isZero();
    assertThat(Batching.off().queue()).isEqualTo(1024);
    assertThat(Batching.off().workers()).isEqualTo(Runtime.getRuntime().availableProcessors());
  }
}
