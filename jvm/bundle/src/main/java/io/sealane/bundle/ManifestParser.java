package io.sealane.bundle;

import io.sealane.bundle.Manifest.AuthorLimits;
import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.bundle.Manifest.Preprocess;
import io.sealane.bundle.Manifest.Unavailable;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Parses {@code sealane.json} strictly, in the order of checks of docs/bundle-format.md §2. */
final class ManifestParser {
  static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9-]{0,63}");

  private static final String FILE = "sealane.json: ";
  private static final Pattern VERSION = Pattern.compile("[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}");
  private static final Pattern FORMAT_VERSION =
      Pattern.compile("(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})");
  private static final Pattern CREATED_AT =
      Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z");
  private static final Pattern CONTENT_ID = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern REVERSE_DNS = Pattern.compile("[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+");
  private static final int ENVIRONMENT_DEPTH = 8;

  private final Limits limits;

  ManifestParser(Limits limits) {
    this.limits = limits;
  }

  Manifest parse(ByteBuffer bytes) {
    Object json = new StrictJson(limits).parse(bytes, "sealane.json", ErrorCode.MANIFEST_INVALID);
    Members root = Members.of(json, FILE, ErrorCode.MANIFEST_INVALID);
    String formatVersion = formatVersion(root);
    boolean strict = formatVersion.equals("1.0");
    AuthorLimits author = authorLimits(root.optionalObject("limits"), strict);
    Signature signature = new SignatureParser(strict).parse(root.object("signature"));
    Manifest manifest =
        new Manifest(
            formatVersion,
            root.string("name", NAME),
            root.string("version", VERSION),
            createdAt(root),
            licenses(root),
            root.string("contentId", CONTENT_ID),
            signature,
            root.objects("variants").stream().map(v -> VariantParser.parse(v, strict)).toList(),
            root.optionalObjects("unavailable").stream().map(m -> unavailable(m, strict)).toList(),
            root.objects("golden").stream().map(m -> goldenRef(m, strict)).toList(),
            root.optionalObjects("preprocess").stream().map(m -> preprocess(m, strict)).toList(),
            environment(root),
            root.freeObject("lineage"),
            author,
            extensions(root),
            root.objects("files").stream().map(m -> fileEntry(m, strict)).toList());
    finish(root, strict);
    ManifestReferences.check(manifest, limits);
    return manifest;
  }

  private static String formatVersion(Members root) {
    if (!root.string("format").equals("sealane-bundle")) {
      throw root.refusal(
          "format", "expected \"sealane-bundle\", received \"" + root.string("format") + '"');
    }
    String version = root.string("formatVersion", FORMAT_VERSION);
    Matcher parts = FORMAT_VERSION.matcher(version);
    if (!parts.matches() || parts.group(1).equals("0")) {
      throw root.refusal("formatVersion", "there is no format " + version);
    }
    if (!parts.group(1).equals("1")) {
      throw new Refusal(
          ErrorCode.FORMAT_UNSUPPORTED,
          FILE + "format " + version + " is newer than 1.0, which this reader knows: update it");
    }
    List<String> critical = root.optionalStrings("critical");
    if (!critical.isEmpty()) {
      throw new Refusal(
          ErrorCode.FORMAT_UNSUPPORTED,
          FILE + "critical extensions " + critical + " are not known to this reader");
    }
    return version;
  }

  private static String createdAt(Members root) {
    String text = root.string("createdAt", CREATED_AT);
    try {
      if (LocalDateTime.parse(text.substring(0, text.length() - 1)).getYear() > 0) {
        return text;
      }
    } catch (DateTimeException e) {
      throw root.refusal("createdAt", "'" + text + "' is no date and time");
    }
    throw root.refusal("createdAt", "'" + text + "' is no date and time");
  }

  private static List<String> licenses(Members root) {
    List<String> licenses = root.optionalStrings("licenses");
    if (licenses.contains("")) {
      throw root.refusal("licenses", "a license must not be empty");
    }
    return licenses;
  }

  private static Map<String, @Nullable Object> extensions(Members root) {
    Map<String, @Nullable Object> extensions = root.freeObject("extensions");
    for (String name : extensions.keySet()) {
      if (!REVERSE_DNS.matcher(name).matches()) {
        throw root.refusal("extensions", "'" + name + "' is no reverse-DNS name");
      }
    }
    return extensions;
  }

  private static AuthorLimits authorLimits(Members members, boolean strict) {
    AuthorLimits author =
        new AuthorLimits(
            atLeastOne(members, "maxFileBytes"),
            atLeastOne(members, "maxTensorBytes"),
            atLeastOne(members, "maxNodes"),
            atLeastOne(members, "maxConstantBytes"));
    finish(members, strict);
    return author;
  }

  private static OptionalLong atLeastOne(Members members, String name) {
    return members.has(name) ? OptionalLong.of(members.integer(name, 1)) : OptionalLong.empty();
  }

  private static Unavailable unavailable(Members members, boolean strict) {
    Unavailable result = new Unavailable(members.string("kind"), members.string("reason"));
    finish(members, strict);
    return result;
  }

  private static GoldenRef goldenRef(Members members, boolean strict) {
    GoldenRef result =
        new GoldenRef(
            members.string("id", ID),
            members.string("path"),
            members.optionalString("strings"),
            members.string("purpose"),
            members.integer("batch", 0));
    finish(members, strict);
    return result;
  }

  private static Preprocess preprocess(Members members, boolean strict) {
    Preprocess result = new Preprocess(members.string("kind"), members.string("path"));
    finish(members, strict);
    return result;
  }

  private static FileEntry fileEntry(Members members, boolean strict) {
    FileEntry result =
        new FileEntry(
            members.string("path"), members.integer("size", 0), members.string("sha256", SHA256));
    finish(members, strict);
    return result;
  }

  private static Map<String, @Nullable Object> environment(Members root) {
    Map<String, @Nullable Object> environment = root.freeObject("environment");
    if (depth(environment) > ENVIRONMENT_DEPTH) {
      throw root.refusal("environment", "nested deeper than " + ENVIRONMENT_DEPTH);
    }
    return environment;
  }

  private static int depth(@Nullable Object value) {
    int deepest = 0;
    if (value instanceof Map<?, ?> map) {
      for (Object member : map.values()) {
        deepest = Math.max(deepest, depth(member));
      }
      return deepest + 1;
    }
    if (value instanceof List<?> list) {
      for (Object item : list) {
        deepest = Math.max(deepest, depth(item));
      }
      return deepest + 1;
    }
    return 0;
  }

  /** Members that nobody asked for are refused in 1.0 and ignored in later minor versions. */
  static void finish(Members members, boolean strict) {
    if (strict) {
      members.end();
    }
  }

  /** The element type of that name, or a refusal. */
  static DataType dataType(Members members, String name) {
    String text = members.string(name);
    for (DataType type : DataType.values()) {
      if (type.name().equals(text)) {
        return type;
      }
    }
    throw members.refusal(name, "'" + text + "' is no dtype");
  }
}
