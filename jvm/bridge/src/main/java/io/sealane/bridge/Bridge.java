package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one class that Python calls, through JPype or Py4J. It speaks in paths, names, direct buffers
 * and handles: a handle is a number that stands for a session, a binding or a result until it is
 * given back.
 *
 * <p>Sizes of tensors are passed as one array: the dims of the inputs one after another, in the
 * signature's order; the ranks are the signature's. Numbers lie in buffers as they do in NumPy:
 * row-major, in native byte order. Text lies as {@link TextBlock} describes.
 *
 * <p>Thread-safe, except that one binding is used by one thread at a time. Every method throws
 * {@link SealaneException}; a handle that was given back is SESSION_CLOSED.
 */
public final class Bridge {
  private static final Handles HANDLES = new Handles();

  private Bridge() {}

  /**
   * Opens a bundle: {@link Sealane#open(Path, io.sealane.runtime.SessionConfig)}.
   *
   * @param path the bundle's directory
   * @param settings {@code name=value}; the names of {@link io.sealane.runtime.SessionConfig#of},
   *     {@code required-verdict} and {@code signer}
   * @param trusted public keys and certificates in PEM whose signature is demanded; none when empty
   * @return a session's handle, to be given to {@link #close}
   */
  public static long open(String path, String[] settings, String[] trusted) {
    return HANDLES.add(Sealane.open(Path.of(path), OpenSettings.parse(settings, trusted)));
  }

  /**
   * What a session is, as JSON: {@code {model, version, contentId, variant, engine, engineVersion,
   * settings, signature, replay?}}; the signature as in the manifest.
   */
  public static String describe(long session) {
    return Description.of(HANDLES.get(session, Session.class));
  }

  /** Closes a session, a binding or a result; waits for runs in flight. Idempotent. */
  public static void close(long handle) {
    HANDLES.close(handle);
  }

  /** How many handles have not been given back. */
  public static int live() {
    return HANDLES.size();
  }

  /**
   * Makes memory for many runs of one size.
   *
   * @param session of a signature without BYTES whose outputs' sizes follow from the inputs'
   * @param sizes the inputs' dims
   * @return a binding's handle, to be given to {@link #close}
   */
  public static long bind(long session, long[] sizes) {
    return HANDLES.add(BoundMemory.of(HANDLES.get(session, Session.class), sizes));
  }

  /** The memory of a binding's input, valid until the binding is closed. */
  public static ByteBuffer input(long binding, int index) {
    return HANDLES.get(binding, BoundMemory.class).input(index);
  }

  /** The memory of a binding's output, overwritten by each run; valid until it is closed. */
  public static ByteBuffer output(long binding, int index) {
    return HANDLES.get(binding, BoundMemory.class).output(index);
  }

  /** The dims of a binding's output. */
  public static long[] outputSizes(long binding, int index) {
    return HANDLES.get(binding, BoundMemory.class).outputSizes(index);
  }

  /** Computes a binding's outputs from its inputs' current values. */
  public static void run(long binding) {
    HANDLES.get(binding, BoundMemory.class).run();
  }

  /**
   * Runs once on the caller's memory, without a copy on either side.
   *
   * @param sizes the inputs' dims
   * @param inputs direct buffers, one per input, read during the call
   * @param outputSizes the outputs' dims, one after another
   * @param outputs direct buffers, one per output, written
   */
  public static void runInto(
      long session,
      long[] sizes,
      @Nullable ByteBuffer[] inputs,
      long[] outputSizes,
      @Nullable ByteBuffer[] outputs) {
    BoundMemory.runOnce(HANDLES.get(session, Session.class), sizes, inputs, outputSizes, outputs);
  }

  /**
   * Runs once and keeps what comes out, for signatures with text or with sizes that only the run
   * tells.
   *
   * @param sizes the inputs' dims
   * @param inputs direct buffers, one per input; null where there are no elements
   * @param outputs names of the outputs to compute
   * @return a result's handle, to be given to {@link #close}
   */
  public static long call(
      long session, long[] sizes, @Nullable ByteBuffer[] inputs, String[] outputs) {
    Session target = HANDLES.get(session, Session.class);
    return HANDLES.add(CallResult.of(target, sizes, inputs, List.of(outputs)));
  }

  /** The dims of each output of a result: its rank, then its sizes, one output after another. */
  public static long[] sizes(long result) {
    return HANDLES.get(result, CallResult.class).sizes();
  }

  /** Copies a numeric output of a result into a direct buffer of exactly its size. */
  public static void read(long result, int index, ByteBuffer target) {
    HANDLES.get(result, CallResult.class).read(index, target);
  }

  /** A BYTES output of a result as a {@link TextBlock}. */
  public static byte[] text(long result, int index) {
    return HANDLES.get(result, CallResult.class).text(index);
  }

  /** What went wrong, as JSON: {@code {code, message, details}}. */
  public static String error(Throwable failure) {
    return Description.of(failure);
  }

  static SealaneException misuse(TensorSpec spec, String problem) {
    return new SealaneException(
        ErrorCode.INPUT_LAYOUT, "'" + spec.name() + "' (" + spec + "): " + problem);
  }
}
