package io.sealane.core;

/**
 * Conversions between float and the two 16-bit float formats, rounding to nearest, ties to even.
 * NaN stays NaN (quiet, upper payload bits kept); values too large become infinities.
 *
 * <p>Source: IEEE 754-2019 §4.3.1 and §6.2; bfloat16 is the upper half of a binary32.
 */
public final class Float16 {
  private Float16() {}

  /** The binary16 bits nearest to {@code value}. */
  public static short toHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return (short) (sign | 0x7e00 | (magnitude >>> 13 & 0x3ff));
    }
    if (magnitude >= 0x47800000) {
      return (short) (sign | 0x7c00);
    }
    if (magnitude < 0x38800000) {
      // Below 2^-14 a half's step is 2^-24 throughout, which adding 0.5f imposes on a float.
      int subnormal = Float.floatToRawIntBits(Math.abs(value) + 0.5f) - 0x3f000000;
      return (short) (sign | subnormal);
    }
    int rounded = magnitude - 0x38000000 + 0xfff + (magnitude >>> 13 & 1);
    return (short) (sign | rounded >>> 13);
  }

  /** The exact value of binary16 bits. */
  public static float fromHalf(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = half >>> 10 & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent + 112;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }

  /** The bfloat16 bits nearest to {@code value}. */
  public static short toBfloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  /** The exact value of bfloat16 bits. */
  public static float fromBfloat(short bfloat) {
    return Float.intBitsToFloat(bfloat << 16);
  }
}
