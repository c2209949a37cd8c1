package io.sealane.runtime;

import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.core.DataType;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a bundle brings as proof of its model, for people to look at. Immutable.
 *
 * @param certificate {@code evidence/parity.json} as maps, lists, strings, numbers and booleans;
 *     may be empty
 * @param example a call and its answer: the golden case that takes the least memory, or null when
 *     none takes at most {@link #EXAMPLE_BYTES}
 */
public record Evidence(Map<String, @Nullable Object> certificate, @Nullable GoldenCase example) {
  /** The most that a session keeps of golden cases. */
  public static final long EXAMPLE_BYTES = 64 << 10;

  /** Copies the certificate's members. */
  public Evidence {
    certificate = Collections.unmodifiableMap(new LinkedHashMap<>(certificate));
  }

  static Evidence of(Map<String, @Nullable Object> certificate, List<GoldenCase> golden) {
    GoldenCase example =
        golden.stream()
            .filter(each -> bytes(each) <= EXAMPLE_BYTES)
            .min(Comparator.comparingLong((GoldenCase each) -> bytes(each)))
            .orElse(null);
    return new Evidence(certificate, example);
  }

  private static long bytes(GoldenCase golden) {
    return Stream.of(golden.inputs(), golden.outputs(), golden.oracle())
        .map(Map::values)
        .flatMap(Collection::stream)
        .mapToLong(Evidence::bytes)
        .sum();
  }

  private static long bytes(GoldenTensor tensor) {
    if (tensor.dtype() != DataType.BYTES) {
      return tensor.data().remaining();
    }
    List<@Nullable String> strings = tensor.strings();
    return strings.stream().mapToLong(each -> each == null ? 4 : 4 + 2L * each.length()).sum();
  }
}
