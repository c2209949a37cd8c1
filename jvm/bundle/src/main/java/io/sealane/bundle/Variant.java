package io.sealane.bundle;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One form of the model for one kind of engine (docs/bundle-format.md §2.2).
 *
 * @param id unique in the bundle
 * @param kind {@code onnx}, {@code savedmodel}, {@code dl4j}, or a kind this version does not know
 * @param role its rank among the variants
 * @param path the model file or directory, relative to the bundle
 * @param bindings what the engine calls the signature's tensors
 * @param requires what the engine must have
 * @param precision the arithmetic it computes in
 * @param verdict the worst verdict among the certificate's runs
 * @param tolerance the author's tolerance, present exactly for {@link Verdict#WITHIN_DECLARED}
 */
public record Variant(
    String id,
    String kind,
    Role role,
    String path,
    Bindings bindings,
    Requires requires,
    Precision precision,
    Verdict verdict,
    @Nullable Tolerance tolerance) {
  /** The kind of an ONNX model file. */
  public static final String ONNX = "onnx";

  /** The kind of a TensorFlow SavedModel directory. */
  public static final String SAVEDMODEL = "savedmodel";

  /** The kind of a network of layers and weights (docs/network-format.md). */
  public static final String DL4J = "dl4j";

  /** A variant's rank. */
  public enum Role {
    /** What is served unless another is asked for; exactly one. */
    PRIMARY,
    /** As good, for another engine or purpose. */
    OPTIONAL,
    /** Not for production. */
    EXPERIMENTAL
  }

  /** The arithmetic a variant computes in. */
  public enum Precision {
    /** IEEE 754 double precision. */
    FP64,
    /** IEEE 754 single precision. */
    FP32,
    /** IEEE 754 half precision. */
    FP16,
    /** bfloat16. */
    BF16,
    /** Quantised 8-bit integers. */
    INT8,
    /** Several of them. */
    MIXED
  }

  /**
   * The engine's tensor names, by the signature's.
   *
   * @param inputs signature name to engine name, in the signature's order
   * @param outputs signature name to engine name, in the signature's order
   */
  public record Bindings(Map<String, String> inputs, Map<String, String> outputs) {
    /** Copies both maps, keeping their order. */
    public Bindings {
      inputs = Copies.ordered(inputs);
      outputs = Copies.ordered(outputs);
    }
  }

  /**
   * What the engine must have.
   *
   * @param irVersion the ONNX IR version, or null when not stated
   * @param opsets ONNX operator set versions by domain
   * @param ops operators used, {@code Op} or {@code domain:Op}
   */
  public record Requires(@Nullable Long irVersion, Map<String, Long> opsets, List<String> ops) {
    /** Copies the collections. */
    public Requires {
      opsets = Copies.ordered(opsets);
      ops = List.copyOf(ops);
    }
  }

  /**
   * The author's bound on |actual − source|: {@code atol + rtol · max |source|}.
   *
   * @param rtol share of the output's largest magnitude, ≥ 0
   * @param atol absolute part in the output's own unit, ≥ 0
   * @param reason why it is acceptable
   */
  public record Tolerance(double rtol, double atol, String reason) {}
}
