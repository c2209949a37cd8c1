package io.sealane.spark.training;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What an epoch did.
 *
 * @param loss mean training loss over the epoch's steps
 * @param validationLoss of the rows held back, empty without any
 * @param validationAuc of two classes, empty otherwise
 * @param seconds it took, over all attempts
 */
public record EpochReport(
    double loss, OptionalDouble validationLoss, OptionalDouble validationAuc, double seconds) {
  Map<String, @Nullable Object> members() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("loss", loss);
    members.put("validationLoss", boxed(validationLoss));
    members.put("validationAuc", boxed(validationAuc));
    members.put("seconds", seconds);
    return members;
  }

  private static @Nullable Double boxed(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
