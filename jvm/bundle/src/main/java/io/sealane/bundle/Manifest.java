package io.sealane.bundle;

import io.sealane.core.Signature;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What {@code sealane.json} says (docs/bundle-format.md §2). Immutable, so safe to share between
 * threads.
 *
 * @param formatVersion {@code MAJOR.MINOR}
 * @param name the model's name
 * @param version the model's version
 * @param createdAt RFC 3339 in UTC, such as {@code 2026-01-31T12:00:00Z}
 * @param licenses SPDX expressions
 * @param contentId {@code sha256:…}, names the model whatever evidence is added
 * @param signature what the model takes and gives
 * @param variants its forms, at least one
 * @param unavailable variants that were wanted, and why they are absent
 * @param golden the golden cases' files
 * @param preprocess files used before the model
 * @param environment framework and tool versions: maps, lists, strings, numbers, booleans
 * @param lineage where it comes from, as free as {@code environment}
 * @param limits the author's limits
 * @param extensions values by reverse-DNS name
 * @param files every file but the manifest and {@code bundle.sig}, sorted by path
 */
public record Manifest(
    String formatVersion,
    String name,
    String version,
    String createdAt,
    List<String> licenses,
    String contentId,
    Signature signature,
    List<Variant> variants,
    List<Unavailable> unavailable,
    List<GoldenRef> golden,
    List<Preprocess> preprocess,
    Map<String, @Nullable Object> environment,
    Map<String, @Nullable Object> lineage,
    AuthorLimits limits,
    Map<String, @Nullable Object> extensions,
    List<FileEntry> files) {
  /** Copies the collections. */
  public Manifest {
    licenses = List.copyOf(licenses);
    variants = List.copyOf(variants);
    unavailable = List.copyOf(unavailable);
    golden = List.copyOf(golden);
    preprocess = List.copyOf(preprocess);
    environment = Copies.ordered(environment);
    lineage = Copies.ordered(lineage);
    extensions = Copies.ordered(extensions);
    files = List.copyOf(files);
  }

  /**
   * Whether a model without a bundle is described: nobody wrote this down, so it has no format
   * version, no golden cases and no certificate, and its variant's verdict is {@link
   * Verdict#FAILED}, the one that claims nothing.
   */
  public boolean isPlain() {
    return formatVersion.isEmpty();
  }

  /**
   * A variant that was wanted and is absent.
   *
   * @param kind the variant's kind
   * @param reason why it is absent
   */
  public record Unavailable(String kind, String reason) {}

  /**
   * A golden case's files.
   *
   * @param id unique among the cases
   * @param path the safetensors file
   * @param strings the JSON file of BYTES tensors, or null when there are none
   * @param purpose what it is for
   * @param batch its batch size
   */
  public record GoldenRef(
      String id, String path, @Nullable String strings, String purpose, long batch) {}

  /**
   * A file used before the model.
   *
   * @param kind what it is, such as {@code tokenizer}
   * @param path the file
   */
  public record Preprocess(String kind, String path) {}

  /**
   * The author's limits; a reader enforces the lower of these and its own.
   *
   * @param maxFileBytes bytes of one file
   * @param maxTensorBytes bytes of one tensor
   * @param maxNodes nodes of a model
   * @param maxConstantBytes bytes of one tensor that the model's constants imply
   */
  public record AuthorLimits(
      OptionalLong maxFileBytes,
      OptionalLong maxTensorBytes,
      OptionalLong maxNodes,
      OptionalLong maxConstantBytes) {}

  /**
   * A file and its digest.
   *
   * @param path relative, POSIX form
   * @param size bytes
   * @param sha256 64 lower-case hex digits
   */
  public record FileEntry(String path, long size, String sha256) {}
}
