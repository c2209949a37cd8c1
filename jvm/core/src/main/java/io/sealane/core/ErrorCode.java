package io.sealane.core;

/** A stable error code, shared with Python through {@code tests/conformance/error_codes.json}. */
public enum ErrorCode {
  /** The path does not exist, is not a directory, or holds no sealane.json. */
  BUNDLE_NOT_FOUND(Family.BUNDLE),

  /** The writer was asked to write where something already is. */
  BUNDLE_EXISTS(Family.BUNDLE),

  /** sealane.json is not strict JSON or does not satisfy the manifest schema. */
  MANIFEST_INVALID(Family.BUNDLE),

  /** A newer major format version, or a critical extension this reader does not know. */
  FORMAT_UNSUPPORTED(Family.BUNDLE),

  /** A size, count or depth limit was passed before the content was parsed. */
  LIMIT_EXCEEDED(Family.BUNDLE),

  /**
   * A path that is absolute, climbs out, is not canonical, collides with another, or is not a plain
   * file (link, device, several hard links).
   */
  PATH_UNSAFE(Family.BUNDLE),

  /**
   * Files are extra, missing or changed compared with the manifest; the error carries the three
   * lists.
   */
  FILES_DIFFER(Family.BUNDLE),

  /** The content id in the manifest is not the one computed from its file list. */
  CONTENT_ID_MISMATCH(Family.BUNDLE),

  /**
   * A file of a kind that may never be in a bundle: pickle, .keras/HDF5, NumPy objects, Java
   * serialisation, native library, nested archive.
   */
  CONTENT_FORBIDDEN(Family.BUNDLE),

  /** A golden case is malformed or does not fit the signature. */
  GOLDEN_INVALID(Family.BUNDLE),

  /** A model file can not be parsed or its inputs and outputs are not those of the signature. */
  ARTIFACT_INVALID(Family.BUNDLE),

  /**
   * A model file reaches outside itself, runs forbidden operations, or could exhaust memory when
   * loaded.
   */
  ARTIFACT_UNSAFE(Family.BUNDLE),

  /** A model file needs an IR, opset, operator or dtype that the runtime does not have. */
  ARTIFACT_UNSUPPORTED(Family.BUNDLE),

  /** The bundle has no variant for the engine or id that was asked for. */
  VARIANT_NOT_FOUND(Family.BUNDLE),

  /** A golden case replayed on this runtime is outside its verdict. */
  PARITY_FAILED(Family.BUNDLE),

  /** The policy requires a signature and there is no bundle.sig. */
  SIGNING_MISSING(Family.BUNDLE),

  /** bundle.sig is malformed, does not verify, or does not cover exactly these files. */
  SIGNING_INVALID(Family.BUNDLE),

  /** The key or certificate of bundle.sig is not one the policy trusts. */
  SIGNER_UNTRUSTED(Family.BUNDLE),

  /**
   * A key or certificate given for signing or trusting can not be read, or is of a kind that is not
   * supported.
   */
  SIGNING_KEY_INVALID(Family.BUNDLE),

  /** The bundle does not reach what the policy demands (verdict, variant, version). */
  POLICY_REFUSED(Family.BUNDLE),

  /**
   * The model uses a layer, operator, dtype or structure that can not be exported; the message
   * names it.
   */
  EXPORT_UNSUPPORTED(Family.BUNDLE),

  /** A converter failed or its result did not pass the gate. */
  EXPORT_FAILED(Family.BUNDLE),

  /** An input of the signature was not given. */
  INPUT_MISSING(Family.INPUT),

  /** An input or a requested output is not in the signature. */
  INPUT_UNKNOWN(Family.INPUT),

  /** An input has another dtype than the signature's. */
  INPUT_DTYPE(Family.INPUT),

  /**
   * An input's rank or a dimension does not fit, a symbol has two values, or is outside its range.
   */
  INPUT_SHAPE(Family.INPUT),

  /** Rows of unequal length where a rectangular array is needed. */
  INPUT_RAGGED(Family.INPUT),

  /** A null or NaN where the signature's domain does not allow missing values. */
  INPUT_NULL(Family.INPUT),

  /** A value outside the signature's minimum, maximum or vocabulary. */
  INPUT_DOMAIN(Family.INPUT),

  /** An input's element or byte count passes the limit or overflows. */
  INPUT_TOO_LARGE(Family.INPUT),

  /** A buffer of the wrong byte order, size or kind was bound. */
  INPUT_LAYOUT(Family.INPUT),

  /** The engine is not installed or not on the class path; the message names what to add. */
  ENGINE_UNAVAILABLE(Family.ENGINE),

  /** The engine could not load the artifact. */
  ENGINE_LOAD_FAILED(Family.ENGINE),

  /** The engine failed while running. */
  ENGINE_RUN_FAILED(Family.ENGINE),

  /** The session was used after close. */
  SESSION_CLOSED(Family.ENGINE),

  /** A tensor or result was used after close. */
  TENSOR_CLOSED(Family.ENGINE),

  /** The JVM or the gateway between the languages could not be started, reached or trusted. */
  BRIDGE_FAILED(Family.ENGINE),

  /** The server has no model or version of that name. */
  MODEL_NOT_FOUND(Family.SERVICE),

  /** The model is known, and no version of it can answer now. */
  MODEL_NOT_READY(Family.SERVICE),

  /** The request breaks the protocol it came by. */
  REQUEST_INVALID(Family.SERVICE),

  /** The request asks for something that this server does not do. */
  REQUEST_UNSUPPORTED(Family.SERVICE),

  /** The queue is full: try again later. */
  OVERLOADED(Family.SERVICE),

  /** The request's deadline passed before it was answered. */
  DEADLINE_EXCEEDED(Family.SERVICE),

  /** The caller gave the request up. */
  REQUEST_CANCELLED(Family.SERVICE);

  /** What is at fault. */
  public enum Family {
    /** The bundle is unusable. */
    BUNDLE,

    /** This call's input is bad; the session goes on. */
    INPUT,

    /** The engine, or the bridge to it, failed. */
    ENGINE,

    /** An inference service refused the request. */
    SERVICE
  }

  private final Family family;

  ErrorCode(Family family) {
    this.family = family;
  }

  /** The family this code belongs to. */
  public Family family() {
    return family;
  }
}
