package io.sealane.bundle;

import java.util.Arrays;
import java.util.Random;

/** Seeded random damage to bytes. */
final class Mutations {
  private static final long[] TELLING = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fffffff, 0xffffffffL, -1L};

  private final Random random;

  Mutations(long seed) {
    this.random = new Random(seed);
  }

  /** A damaged copy: one to eight changes. */
  byte[] damaged(byte[] original) {
    byte[] bytes = original.clone();
    int changes = 1 + random.nextInt(8);
    for (int i = 0; i < changes && bytes.length > 0; i++) {
      bytes = changed(bytes);
    }
    return bytes;
  }

  private byte[] changed(byte[] bytes) {
    int place = random.nextInt(bytes.length);
    int length = 1 + random.nextInt(Math.min(16, bytes.length - place));
    switch (random.nextInt(7)) {
      case 0 -> bytes[place] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[place] = (byte) random.nextInt(256);
      case 2 -> bytes[place] = (byte) TELLING[random.nextInt(TELLING.length)];
      case 3 -> {
        return Arrays.copyOf(bytes, place);
      }
      case 4 -> {
        return joined(bytes, 0, place, bytes, place + length);
      }
      case 5 -> {
        return joined(bytes, 0, place + length, bytes, place);
      }
      default -> {
        int from = random.nextInt(bytes.length);
        int count = Math.min(length, bytes.length - from);
        System.arraycopy(bytes, from, bytes, Math.min(place, bytes.length - count), count);
      }
    }
    return bytes;
  }

  /** {@code a[from..to)} followed by {@code b[rest..)}. */
  private static byte[] joined(byte[] a, int from, int to, byte[] b, int rest) {
    byte[] result = Arrays.copyOf(Arrays.copyOfRange(a, from, to), to - from + b.length - rest);
    System.arraycopy(b, rest, result, to - from, b.length - rest);
    return result;
  }
}
