package io.sealane.bundle;

import io.sealane.bundle.Manifest.AuthorLimits;

/**
 * What a reader accepts before it has parsed anything (docs/bundle-format.md §4). Passing one is
 * {@link io.sealane.core.ErrorCode#LIMIT_EXCEEDED}. The bundle's own {@code limits} can only lower
 * them.
 *
 * @param manifestBytes bytes of {@code sealane.json}
 * @param jsonDepth nesting depth of any JSON in the bundle
 * @param jsonStringLength characters of one JSON string
 * @param files number of files
 * @param directoryDepth directories below each other
 * @param fileBytes bytes of one file
 * @param totalBytes bytes of all files
 * @param goldenBytes bytes of one golden file
 * @param signatureBytes bytes of {@code bundle.sig}
 * @param safetensorsHeaderBytes bytes of a safetensors header
 * @param tensorBytes bytes of one tensor that a signature or golden case describes
 * @param onnxBytes bytes of an ONNX model file, external data left out
 * @param onnxNodes ONNX nodes, functions expanded
 * @param constantBytes bytes of one tensor that a model's constants imply
 * @param protobufDepth nesting depth of a protobuf message
 * @param savedModelNodes SavedModel nodes, function library included
 */
public record Limits(
    long manifestBytes,
    int jsonDepth,
    int jsonStringLength,
    int files,
    int directoryDepth,
    long fileBytes,
    long totalBytes,
    long goldenBytes,
    long signatureBytes,
    int safetensorsHeaderBytes,
    long tensorBytes,
    long onnxBytes,
    long onnxNodes,
    long constantBytes,
    int protobufDepth,
    long savedModelNodes) {
  /** Deeper JSON is not read, whatever a caller allows: parsing recurses. */
  static final int MAX_JSON_DEPTH = 1000;

  private static final Limits DEFAULTS =
      new Limits(
          4L << 20,
          32,
          65_536,
          10_000,
          16,
          16L << 30,
          64L << 30,
          64L << 20,
          16L << 20,
          1 << 20,
          1L << 33,
          Integer.MAX_VALUE,
          200_000,
          1L << 28,
          100,
          500_000);

  /** Each limit is at least 1, and what must fit into one buffer below 2^31. */
  public Limits {
    requireRange("manifestBytes", manifestBytes, Integer.MAX_VALUE);
    requireRange("jsonDepth", jsonDepth, MAX_JSON_DEPTH);
    requireRange("jsonStringLength", jsonStringLength, Integer.MAX_VALUE);
    requireRange("files", files, Integer.MAX_VALUE);
    requireRange("directoryDepth", directoryDepth, 256);
    requireRange("fileBytes", fileBytes, Long.MAX_VALUE);
    requireRange("totalBytes", totalBytes, Long.MAX_VALUE);
    requireRange("goldenBytes", goldenBytes, Integer.MAX_VALUE - 8);
    requireRange("signatureBytes", signatureBytes, Integer.MAX_VALUE - 8);
    requireRange("safetensorsHeaderBytes", safetensorsHeaderBytes, Integer.MAX_VALUE - 8);
    requireRange("tensorBytes", tensorBytes, Long.MAX_VALUE);
    requireRange("onnxBytes", onnxBytes, Integer.MAX_VALUE);
    requireRange("onnxNodes", onnxNodes, Long.MAX_VALUE);
    requireRange("constantBytes", constantBytes, Long.MAX_VALUE);
    requireRange("protobufDepth", protobufDepth, 500);
    requireRange("savedModelNodes", savedModelNodes, Long.MAX_VALUE);
  }

  private static void requireRange(String name, long value, long max) {
    if (value < 1 || value > max) {
      throw new IllegalArgumentException(name + " must be 1 to " + max + ", received " + value);
    }
  }

  /** The lower of these limits and the author's. */
  Limits lowered(AuthorLimits author) {
    return new Limits(
        manifestBytes,
        jsonDepth,
        jsonStringLength,
        files,
        directoryDepth,
        Math.min(fileBytes, author.maxFileBytes().orElse(Long.MAX_VALUE)),
        totalBytes,
        goldenBytes,
        signatureBytes,
        safetensorsHeaderBytes,
        Math.min(tensorBytes, author.maxTensorBytes().orElse(Long.MAX_VALUE)),
        onnxBytes,
        Math.min(onnxNodes, author.maxNodes().orElse(Long.MAX_VALUE)),
        Math.min(constantBytes, author.maxConstantBytes().orElse(Long.MAX_VALUE)),
        protobufDepth,
        savedModelNodes);
  }

  /** These limits with another bound on strings. */
  Limits withStrings(int characters) {
    return new Limits(
        manifestBytes,
        jsonDepth,
        characters,
        files,
        directoryDepth,
        fileBytes,
        totalBytes,
        goldenBytes,
        signatureBytes,
        safetensorsHeaderBytes,
        tensorBytes,
        onnxBytes,
        onnxNodes,
        constantBytes,
        protobufDepth,
        savedModelNodes);
  }

  /** The limits of docs/bundle-format.md §4. */
  public static Limits defaults() {
    return DEFAULTS;
  }
}
