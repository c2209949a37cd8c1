package io.sealane.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
  @Test
  void aBoundBelongsToTheBucketBelowIt() {
    LatencyHistogram histogram = new LatencyHistogram();
    long bound = LatencyHistogram.BOUNDS.get(3);
    histogram.add(bound);
    histogram.add(bound + 1);
    assertEquals(1, histogram.snapshot().counts().get(3));
    assertEquals(1, histogram.snapshot().counts().get(4));
  }

  @Test
  void durationsOutsideAllBoundsAreCounted() {
    LatencyHistogram histogram = new LatencyHistogram();
    histogram.add(0);
    histogram.add(Long.MAX_VALUE);
    LatencyHistogram.Snapshot counted = histogram.snapshot();
    assertEquals(2, counted.count());
    assertEquals(1, counted.counts().get(0));
    assertEquals(LatencyHistogram.BOUNDS.get(35), counted.quantile(1));
  }

  @Test
  void quantilesAreWithinTheirBucket() {
    LatencyHistogram histogram = new LatencyHistogram();
    Random random = new Random(7);
    long[] durations = random.longs(10_000, 20_000, 900_000_000).sorted().toArray();
    Arrays.stream(durations).forEach(histogram::add);
    for (double share : new double[] {0.01, 0.5, 0.9, 0.99, 1}) {
      double exact = durations[(int) Math.ceil(share * durations.length) - 1];
      double told = histogram.snapshot().quantile(share);
      assertTrue(told / exact < 1.59 && exact / told < 1.59, share + ": " + told + " " + exact);
    }
  }

  @Test
  void nothingCountedIsNoTime() {
    assertEquals(0, new LatencyHistogram().snapshot().quantile(0.5));
  }

  @Test
  void whatWasCountedSince() {
    LatencyHistogram histogram = new LatencyHistogram();
    histogram.add(1_000_000);
    LatencyHistogram.Snapshot before = histogram.snapshot();
    histogram.add(50_000_000);
    LatencyHistogram.Snapshot since = histogram.snapshot().since(before);
    assertEquals(1, since.count());
    assertTrue(since.quantile(0.5) > 30_000_000);
  }
}
