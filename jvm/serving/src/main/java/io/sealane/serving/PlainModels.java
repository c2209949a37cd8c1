package io.sealane.serving;

import io.sealane.bundle.PlainDescription;
import io.sealane.core.ErrorCode;

/**
 * How models without a bundle are served: ONNX files and SavedModels, of which nothing tells what
 * they must answer.
 *
 * @param refusal why they are not, its code first, or empty
 * @param description what is said of them beyond what they say themselves
 */
public record PlainModels(String refusal, PlainDescription description) {
  /** They are served as they describe themselves. */
  public static PlainModels allowed() {
    return new PlainModels("", PlainDescription.none());
  }

  /** They are not served. */
  public static PlainModels refused(ErrorCode code, String why) {
    return new PlainModels(code + ": " + why, PlainDescription.none());
  }
}
