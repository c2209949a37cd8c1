package io.sealane.benchmarks;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** Times of contestants that took turns, printed as medians with the middle 80 %. */
final class Table {
  private final Map<String, double[]> times;

  Table(String title, Map<String, double[]> times) {
    this.times = times;
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    System.out.printf(Locale.ROOT, "%n%s (load average %.1f)%n%-30s", title, load, "");
    System.out.printf("%10s %10s %10s%n", "median", "10 %", "90 %");
    times.forEach((name, values) -> line("%-30s%10.1f %10.1f %10.1f%n", name, values));
  }

  /**
   * Prints the ratio within a round, its median over the rounds and its middle 80 %, and the ratio
   * of the fastest tenths, which other work on the machine touches least.
   */
  void ratio(String title, String over, String under) {
    double[] above = Objects.requireNonNull(times.get(over));
    double[] below = Objects.requireNonNull(times.get(under));
    double[] ratios = new double[above.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = above[i] / below[i];
    }
    line("%s: %.3f (%.3f to %.3f)", title, ratios);
    System.out.printf(
        Locale.ROOT, "; undisturbed %.3f%n", quantile(above, 0.1f) / quantile(below, 0.1f));
  }

  private static void line(String format, String name, double[] values) {
    System.out.printf(
        Locale.ROOT, format, name, median(values), quantile(values, 0.1f), quantile(values, 0.9f));
  }

  private static double quantile(double[] values, float share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[Math.round(share * (sorted.length - 1))];
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
