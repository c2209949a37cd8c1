package io.sealane.bundle;

import io.sealane.bundle.Variant.Bindings;
import io.sealane.bundle.Variant.Precision;
import io.sealane.bundle.Variant.Requires;
import io.sealane.bundle.Variant.Role;
import io.sealane.bundle.Variant.Tolerance;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One of the manifest's {@code variants} (docs/bundle-format.md §2.2). */
final class VariantParser {
  private VariantParser() {}

  static Variant parse(Members members, boolean strict) {
    Variant variant =
        new Variant(
            members.string("id", ManifestParser.ID),
            members.string("kind", ManifestParser.ID),
            named(members, "role", Role.values()),
            members.string("path"),
            bindings(members.object("bindings"), strict),
            requires(members.optionalObject("requires"), strict),
            named(members, "precision", Precision.values()),
            verdict(members),
            members.has("tolerance") ? tolerance(members.object("tolerance"), strict) : null);
    ManifestParser.finish(members, strict);
    if ((variant.tolerance() != null) != (variant.verdict() == Verdict.WITHIN_DECLARED)) {
      throw members.refusal("tolerance", "needed exactly when the verdict is within-declared");
    }
    return variant;
  }

  private static <E extends Enum<E>> E named(Members members, String name, E[] values) {
    String text = members.string(name);
    for (E value : values) {
      if (value.name().toLowerCase(Locale.ROOT).equals(text)) {
        return value;
      }
    }
    throw members.refusal(
        name, "'" + text + "' is none of " + List.of(values).toString().toLowerCase(Locale.ROOT));
  }

  private static Verdict verdict(Members members) {
    String text = members.string("verdict");
    return Verdict.of(text)
        .orElseThrow(
            () ->
                members.refusal(
                    "verdict", "'" + text + "' is none of " + List.of(Verdict.values())));
  }

  private static Bindings bindings(Members members, boolean strict) {
    Bindings bindings =
        new Bindings(names(members.object("inputs")), names(members.object("outputs")));
    ManifestParser.finish(members, strict);
    return bindings;
  }

  private static Map<String, String> names(Members members) {
    Map<String, String> result = new LinkedHashMap<>();
    for (String name : members.names()) {
      result.put(name, members.string(name));
    }
    return result;
  }

  private static Requires requires(Members members, boolean strict) {
    Long irVersion = members.has("irVersion") ? (Long) members.integer("irVersion", 0) : null;
    Map<String, Long> opsets = new LinkedHashMap<>();
    Members versions = members.optionalObject("opsets");
    for (String domain : versions.names()) {
      opsets.put(domain, versions.integer(domain, 0));
    }
    Requires requires = new Requires(irVersion, opsets, members.optionalStrings("ops"));
    ManifestParser.finish(members, strict);
    return requires;
  }

  private static Tolerance tolerance(Members members, boolean strict) {
    double rtol = notNegative(members, "rtol");
    double atol = notNegative(members, "atol");
    String reason = members.string("reason");
    if (reason.isEmpty()) {
      throw members.refusal("reason", "must not be empty");
    }
    ManifestParser.finish(members, strict);
    return new Tolerance(rtol, atol, reason);
  }

  private static double notNegative(Members members, String name) {
    @Nullable Double value = members.optionalNumber(name);
    if (value == null || value < 0) {
      throw members.refusal(name, "expected a number >= 0, received " + value);
    }
    return value;
  }
}
