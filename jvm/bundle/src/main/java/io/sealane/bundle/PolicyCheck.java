package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.util.List;
import java.util.Map;

/** A policy's demands on verdict and version (docs/bundle-format.md §7.4). */
final class PolicyCheck {
  private PolicyCheck() {}

  static void check(Policy policy, Manifest manifest, List<Variant> kept) {
    Verdict least = policy.requiredVerdict();
    for (Variant variant : manifest.variants()) {
      boolean wanted = variant.role() == Variant.Role.PRIMARY || kept.contains(variant);
      if (least != null && wanted && !variant.verdict().atLeast(least)) {
        throw new Refusal(
            ErrorCode.POLICY_REFUSED,
            "variant '"
                + variant.id()
                + "' is "
                + variant.verdict()
                + ", the policy requires "
                + least,
            null,
            Map.of(
                "variant", variant.id(),
                "verdict", variant.verdict().id(),
                "required", least.id()));
      }
    }
    String minimum = policy.minimumVersion();
    if (minimum != null && ModelVersion.ORDER.compare(manifest.version(), minimum) < 0) {
      throw new Refusal(
          ErrorCode.POLICY_REFUSED,
          "its version is " + manifest.version() + ", the policy requires " + minimum + " or later",
          null,
          Map.of("version", manifest.version(), "minimum", minimum));
    }
  }
}
