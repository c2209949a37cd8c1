package io.sealane.bundle;

import io.sealane.core.DataType;
import org.jspecify.annotations.Nullable;

/**
 * How one output of a run compares with the source's output and the oracle (docs/bundle-format.md
 * §6).
 *
 * @param name the output's name
 * @param dtype its element type
 * @param maxAbs largest |actual − source| over finite elements; 0 for strings that are equal
 * @param scaledUlp S, the error in units of the largest output's rounding step; 0 for non-floats
 * @param oracleRatio R, our error over the source framework's own, or null without an oracle
 * @param argmaxAgree whether the largest element of each row is the same, close calls aside
 * @param nonFiniteEqual whether NaN and infinities stand in the same places
 * @param bitEqual whether every element equals the source's as bits, NaN payloads aside
 * @param worstIndex row-major index of the largest error, or -1 when there is none
 */
public record OutputMetrics(
    String name,
    DataType dtype,
    double maxAbs,
    double scaledUlp,
    @Nullable Double oracleRatio,
    boolean argmaxAgree,
    boolean nonFiniteEqual,
    boolean bitEqual,
    long worstIndex) {}
