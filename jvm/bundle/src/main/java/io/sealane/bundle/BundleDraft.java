package io.sealane.bundle;

import io.sealane.bundle.Manifest.Unavailable;
import io.sealane.core.Signature;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a bundle will hold. Immutable.
 *
 * @param name the model's name
 * @param version the model's version
 * @param createdAt RFC 3339 in UTC, or null for now
 * @param licenses SPDX expressions
 * @param signature what the model takes and gives
 * @param variants its forms, with their paths in the bundle
 * @param unavailable variants that were wanted, and why they are absent
 * @param files the variants' files by path; the arrays are shared, not copied
 * @param golden the golden cases
 * @param environment framework and tool versions
 * @param lineage where it comes from
 * @param certificate the contents of {@code evidence/parity.json}; {@code contentId} is added
 * @param readme the model card, or empty for a short one
 */
public record BundleDraft(
    String name,
    String version,
    @Nullable String createdAt,
    List<String> licenses,
    Signature signature,
    List<Variant> variants,
    List<Unavailable> unavailable,
    Map<String, byte[]> files,
    List<GoldenCase> golden,
    Map<String, @Nullable Object> environment,
    Map<String, @Nullable Object> lineage,
    Map<String, @Nullable Object> certificate,
    String readme) {
  /** Copies the collections. */
  public BundleDraft {
    licenses = List.copyOf(licenses);
    variants = List.copyOf(variants);
    unavailable = List.copyOf(unavailable);
    files = Copies.ordered(files);
    golden = List.copyOf(golden);
    environment = Copies.ordered(environment);
    lineage = Copies.ordered(lineage);
    certificate = Copies.ordered(certificate);
  }
}
