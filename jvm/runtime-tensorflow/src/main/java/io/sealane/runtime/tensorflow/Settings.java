package io.sealane.runtime.tensorflow;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.spi.EngineOptions;
import io.sealane.runtime.spi.EngineOptions.Optimisation;
import java.io.ByteArrayOutputStream;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Options as TensorFlow's {@code ConfigProto} and {@code RunOptions}, in protobuf's wire format.
 * Source of the field numbers: config.proto and rewriter_config.proto of TensorFlow 2.18.
 */
final class Settings {
  private static final String OWN_POOLS = "TF_OVERRIDE_GLOBAL_THREADPOOL";
  private static final int OFF = 2;

  /** The pool for the insides of operators, which the first session makes for the process. */
  private record Pool(int threads, boolean spinning) {}

  private static @Nullable Pool shared;

  private final EngineOptions options;
  private final Pool pool;

  private Settings(EngineOptions options, Pool pool) {
    this.options = options;
    this.pool = pool;
  }

  /**
   * Settings that TensorFlow will obey.
   *
   * @throws SealaneException ENGINE_LOAD_FAILED for a number of threads, or spinning, that differs
   *     from those of the process's pool
   */
  static synchronized Settings of(EngineOptions options, String label) {
    int asked = options.intraOpThreads();
    int threads = asked == 0 ? Runtime.getRuntime().availableProcessors() : asked;
    Pool wanted = new Pool(threads, options.spinning());
    if (eachSessionHasItsPool()) {
      return new Settings(options, wanted);
    }
    Pool there = shared == null ? wanted : shared;
    shared = there;
    boolean otherThreads = asked != 0 && asked != there.threads();
    if (otherThreads || there.spinning() != options.spinning()) {
      throw new SealaneException(
          ErrorCode.ENGINE_LOAD_FAILED,
          label
              + ": the first TensorFlow session of this process made the threads for all: "
              + there
              + ", this one asks for "
              + wanted
              + "; open all with the same settings, or set the environment variable "
              + OWN_POOLS
              + "=1, with which each session has its own");
    }
    return new Settings(options, there);
  }

  private static boolean eachSessionHasItsPool() {
    String value = System.getenv(OWN_POOLS);
    return value != null && (value.equals("1") || value.equalsIgnoreCase("true"));
  }

  /** A serialized {@code ConfigProto}. */
  byte[] config() {
    byte[] experimental = message(number(9, pool.spinning() ? 0 : 1));
    return message(
        number(2, pool.threads()),
        number(5, Math.max(options.interOpThreads(), 1)),
        number(9, 1), // use_per_session_threads: the pool of field 5 is this session's
        nested(10, graphOptions()),
        nested(16, experimental));
  }

  private byte[] graphOptions() {
    Optimisation level = options.optimisation();
    if (level == Optimisation.ALL) {
      return new byte[0];
    }
    int optLevel = level == Optimisation.NONE ? -1 : 0;
    byte[] rewrites =
        switch (level) {
          case NONE -> message(number(19, 1)); // disable_meta_optimizer
          case BASIC -> message(number(1, OFF), number(14, OFF)); // layout, remapping (fusions)
          case EXTENDED, ALL -> message(number(1, OFF));
        };
    return message(nested(3, message(number(3, optLevel))), nested(10, rewrites));
  }

  /** A serialized {@code RunOptions}: one operator at a time, on the caller's thread, or a pool. */
  byte[] runOptions() {
    return options.interOpThreads() > 1 ? new byte[0] : message(number(3, -1));
  }

  /** What is in force, for people. */
  Map<String, String> effective() {
    return Map.of(
        "optimisation", options.optimisation().name().toLowerCase(Locale.ROOT),
        "intra-op-threads", Integer.toString(pool.threads()),
        "inter-op-threads", Integer.toString(Math.max(options.interOpThreads(), 1)),
        "spinning", Boolean.toString(pool.spinning()),
        "signature", "serving_default",
        "device", "CPU");
  }

  private static byte[] message(byte[]... fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] field : fields) {
      bytes.writeBytes(field);
    }
    return bytes.toByteArray();
  }

  private static byte[] number(int field, long value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    varint((long) field << 3, bytes);
    varint(value, bytes);
    return bytes.toByteArray();
  }

  private static byte[] nested(int field, byte[] message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    varint((long) field << 3 | 2, bytes);
    varint(message.length, bytes);
    bytes.writeBytes(message);
    return bytes.toByteArray();
  }

  private static void varint(long value, ByteArrayOutputStream bytes) {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      bytes.write((int) (left & 0x7f) | 0x80);
      left >>>= 7;
    }
    bytes.write((int) left);
  }
}
