package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What a signature says: the digests of a bundle's files (docs/bundle-format.md §7.3). */
final class SigningStatement {
  private static final String WHERE = Reading.SIGNATURE + ": the statement";
  private static final String TYPE = "https://in-toto.io/Statement/v1";
  private static final String PREDICATE_TYPE = "https://model_signing/signature/v1.0";

  private SigningStatement() {}

  /**
   * Refuses a statement that does not cover exactly these files.
   *
   * @param payload the statement, its signature verified
   * @param digests SHA-256 in hex of every file that must be covered, by path
   */
  static void check(ByteBuffer payload, Map<String, String> digests, Limits limits) {
    Object json = new StrictJson(limits).parse(payload, WHERE, ErrorCode.SIGNING_INVALID);
    Members root = Members.of(json, WHERE + ": ", ErrorCode.SIGNING_INVALID);
    root.constant("_type", TYPE);
    root.constant("predicateType", PREDICATE_TYPE);
    List<Members> subjects = root.objects("subject");
    Members predicate = root.object("predicate");
    root.end();
    checkSerialization(predicate.object("serialization"));
    Map<String, String> signed = resources(predicate.objects("resources"));
    predicate.end();
    if (subjects.size() != 1) {
      throw root.refusal("subject", "expected exactly one, received " + subjects.size());
    }
    checkSubject(subjects.get(0), signed);
    checkCovered(signed, digests);
  }

  private static void checkSerialization(Members serialization) {
    serialization.constant("method", "files");
    serialization.constant("hash_type", "sha256");
    if (!serialization.has("allow_symlinks") || serialization.bool("allow_symlinks", true)) {
      throw serialization.refusal("allow_symlinks", "expected false");
    }
    serialization.optionalStrings("ignore_paths");
    serialization.end();
  }

  private static Map<String, String> resources(List<Members> resources) {
    Map<String, String> signed = new LinkedHashMap<>();
    for (Members resource : resources) {
      resource.constant("algorithm", "sha256");
      String name = resource.string("name");
      String digest = resource.string("digest", SigningEnvelope.SHA256);
      if (name.isEmpty() || signed.put(name, digest) != null) {
        throw resource.refusal("name", "'" + name + "' is empty or there twice");
      }
    }
    return signed;
  }

  private static void checkSubject(Members subject, Map<String, String> signed) {
    MessageDigest root = FileCapture.sha256();
    signed.values().forEach(digest -> root.update(HexFormat.of().parseHex(digest)));
    if (subject.string("name").isEmpty()) {
      throw subject.refusal("name", "must not be empty");
    }
    subject.object("digest").constant("sha256", HexFormat.of().formatHex(root.digest()));
  }

  private static void checkCovered(Map<String, String> signed, Map<String, String> digests) {
    TreeSet<String> extra = new TreeSet<>(BundlePaths.ORDER);
    TreeSet<String> missing = new TreeSet<>(BundlePaths.ORDER);
    TreeSet<String> common = new TreeSet<>(BundlePaths.ORDER);
    extra.addAll(signed.keySet());
    extra.removeAll(digests.keySet());
    missing.addAll(digests.keySet());
    missing.removeAll(signed.keySet());
    common.addAll(signed.keySet());
    common.retainAll(digests.keySet());
    List<Map<String, Object>> changed = new ArrayList<>();
    for (String path : common) {
      String expected = String.valueOf(signed.get(path));
      String actual = String.valueOf(digests.get(path));
      if (!expected.equals(actual)) {
        changed.add(Map.of("path", path, "expected", expected, "actual", actual));
      }
    }
    if (extra.isEmpty() && missing.isEmpty() && changed.isEmpty()) {
      return;
    }
    Map<String, Object> details = new HashMap<>();
    details.put("extra", List.copyOf(extra));
    details.put("missing", List.copyOf(missing));
    details.put("changed", changed);
    throw new Refusal(
        ErrorCode.SIGNING_INVALID,
        WHERE + " covers other files than the bundle's: " + details,
        null,
        details);
  }
}
