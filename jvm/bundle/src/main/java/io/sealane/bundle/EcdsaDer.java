package io.sealane.bundle;

import java.math.BigInteger;

/**
 * The one DER encoding of an ECDSA signature: SEQUENCE of the INTEGERs r and s (X.690 §10), both
 * from 1 to the order of the curve less 1. Java 17 before 17.0.3 takes r = s = 0 for anybody's
 * signature (CVE-2022-21449), so the range is checked here.
 */
final class EcdsaDer {
  private static final int SEQUENCE = 0x30;
  private static final int INTEGER = 0x02;

  /** P-521 needs 139 bytes, more than a short length says. */
  private static final int LONG_LENGTH = 0x81;

  private final byte[] bytes;
  private int position;

  private EcdsaDer(byte[] bytes) {
    this.bytes = bytes;
  }

  static boolean isCanonical(byte[] signature, BigInteger order) {
    EcdsaDer der = new EcdsaDer(signature);
    return der.sequence()
        && der.integer(order)
        && der.integer(order)
        && der.position == signature.length;
  }

  private int next() {
    return position < bytes.length ? bytes[position++] & 0xff : -1;
  }

  private boolean sequence() {
    if (next() != SEQUENCE) {
      return false;
    }
    int length = next();
    if (length == LONG_LENGTH) {
      length = next();
      return length >= 0x80 && length == bytes.length - position;
    }
    return length < 0x80 && length == bytes.length - position;
  }

  private boolean integer(BigInteger order) {
    if (next() != INTEGER) {
      return false;
    }
    int length = next();
    if (length < 1 || length >= 0x80 || length > bytes.length - position) {
      return false;
    }
    boolean negative = bytes[position] < 0;
    boolean padded = length > 1 && bytes[position] == 0 && bytes[position + 1] >= 0;
    BigInteger value = new BigInteger(bytes, position, length);
    position += length;
    return !negative && !padded && value.signum() > 0 && value.compareTo(order) < 0;
  }
}
