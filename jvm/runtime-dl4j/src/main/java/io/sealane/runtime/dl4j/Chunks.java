package io.sealane.runtime.dl4j;

/** Native memory worked on in pieces that fit the first cache as Java arrays. */
final class Chunks {
  /** Values per piece. */
  static final int SIZE = 2048;

  private Chunks() {}

  /** Work on one piece. */
  @FunctionalInterface
  interface Work {
    /** Handles {@code length} values from {@code offset} on. */
    void run(int offset, int length);
  }

  /** Runs work over {@code count} values in pieces, in order. */
  static void each(int count, Work work) {
    for (int offset = 0; offset < count; offset += SIZE) {
      work.run(offset, Math.min(SIZE, count - offset));
    }
  }
}
