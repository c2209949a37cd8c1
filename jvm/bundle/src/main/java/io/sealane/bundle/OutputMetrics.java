package io.sealane.bundle;

import io.sealane.core.DataType;
import org.jspecify.annotations.Nullable;

/**
 * How one output of a run compares with the source's output and the oracle (docs/bundle-format.md
 * §6).
 *
 * @param name the output's name
 * @param dtype its element type
 * @param maxAbs largest |actual − source| over the elements that count; 1 for any difference in
 *     BOOL and BYTES; infinite when the shapes or dtypes differ
 * @param scale largest |source| over the same elements
 * @param scaledUlp S, the error in units of the largest output's rounding step, or null when the
 *     output is not floating point
 * @param oracleRatio R, our error over the source framework's own, or null without an oracle
 * @param argmaxAgree whether each row's largest element is the source's wherever the oracle is sure
 *     of it
 * @param nonFiniteEqual whether NaN, +∞ and −∞ stand in the same places
 * @param bitEqual whether every element equals the source's as bits, NaN payloads ignored
 * @param worstIndex row-major index of the largest error, or -1 when there is none
 */
public record OutputMetrics(
    String name,
    DataType dtype,
    double maxAbs,
    double scale,
    @Nullable Double scaledUlp,
    @Nullable Double oracleRatio,
    boolean argmaxAgree,
    boolean nonFiniteEqual,
    boolean bitEqual,
    long worstIndex) {}
