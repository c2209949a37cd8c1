package io.sealane.serving;

import io.sealane.bundle.ModelVersion;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which versions answer the requests that name none, and what is run besides to be compared.
 *
 * @param canary percent of those requests by version, 0 to 100 each and together; the rest goes to
 *     the newest version that is not among these
 * @param shadow what is run besides; null for nothing
 */
public record Traffic(Map<String, Double> canary, @Nullable Shadow shadow) {
  private static final double ALL = 100;

  /** The order of versions, where two that are equal in it, as 2 and 2.0.0, are two. */
  private static final Comparator<String> ORDER =
      ModelVersion.ORDER.thenComparing(Comparator.naturalOrder());

  /** Copies the weights, oldest version first, and checks them. */
  public Traffic {
    Map<String, Double> ordered = new TreeMap<>(ORDER);
    ordered.putAll(canary);
    double sum = ordered.values().stream().mapToDouble(Double::doubleValue).sum();
    if (ordered.values().stream().anyMatch(weight -> !(weight >= 0)) || !(sum <= ALL)) {
      throw new IllegalArgumentException(
          "canary weights must be 0 to 100 each and together, received " + canary);
    }
    canary = Collections.unmodifiableMap(ordered);
  }

  /** The newest version answers, and nothing is run besides. */
  public static Traffic none() {
    return new Traffic(Map.of(), null);
  }

  /**
   * How the requests that name no version are shared out.
   *
   * <p>A version that is not ready gets none, and its share goes to the newest without a weight;
   * where there is no such version, to the others by their weights. Where only versions of weight 0
   * are ready, the newest of them answers.
   *
   * @param ready the versions that are ready, the newest first; not empty
   * @return percent by version, those with a weight first; they add up to 100
   */
  Map<String, Double> shares(Collection<String> ready) {
    Map<String, Double> shares = new LinkedHashMap<>(canary);
    shares.keySet().retainAll(ready);
    double given = shares.values().stream().mapToDouble(Double::doubleValue).sum();
    String rest = ready.stream().filter(each -> !canary.containsKey(each)).findFirst().orElse(null);
    if (rest != null) {
      shares.put(rest, ALL - given);
    } else if (given > 0) {
      shares.replaceAll((version, weight) -> weight * ALL / given);
    } else {
      shares.put(ready.iterator().next(), ALL);
    }
    return shares;
  }
}
