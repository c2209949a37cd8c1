package io.sealane.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Typed values of one shape, row-major: off-heap memory in native byte order, or Strings for {@link
 * DataType#BYTES}.
 *
 * <p><b>Ownership.</b> A tensor is a handle. {@link #close} gives it up and may be called again;
 * any other use of a closed handle throws {@link ErrorCode#TENSOR_CLOSED}. {@link #share} makes
 * another handle on the same memory, which is freed with the last one. A session shares what it is
 * given while it runs, so closing an input during a run is safe. A handle dropped without close is
 * reclaimed and reported by {@link Leaks}.
 *
 * <p><b>Views</b> ({@code buffer}, {@code as…Buffer}) share the memory and keep it alive: read
 * after close they show old values. Memory of an engine that was viewed is freed only when the
 * garbage collector finds the view unreachable; the copying accessors ({@code floats} and so on)
 * free it at close.
 *
 * <p><b>Threads.</b> Handles may be used and closed from any thread. The values are not
 * synchronised: do not write while a run reads.
 *
 * <p>One tensor holds at most 2^31 - 1 bytes or strings.
 */
public final class Tensor implements AutoCloseable {
  private final DataType dtype;
  private final Shape shape;
  private final Memory memory;

  /** Where this handle's values begin in the memory, in bytes, or strings of BYTES. */
  private final int start;

  private final AtomicBoolean closed = new AtomicBoolean();

  private Tensor(DataType dtype, Shape shape, Memory memory) {
    this(dtype, shape, memory, 0);
  }

  private Tensor(DataType dtype, Shape shape, Memory memory, int start) {
    this.dtype = dtype;
    this.shape = shape;
    this.memory = memory;
    this.start = start;
  }

  /**
   * New zeroed memory, written through {@link #buffer}.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_TOO_LARGE} above 2^31 - 1 bytes; {@link
   *     ErrorCode#INPUT_DTYPE} for BYTES
   */
  public static Tensor allocate(DataType dtype, Shape shape) {
    requireFixedWidth(dtype);
    ByteBuffer root = DirectMemory.allocate(shape.byteSize(dtype));
    return new Tensor(dtype, shape, new Memory(dtype, shape, root, null, null));
  }

  /**
   * The caller's memory from the buffer's position to its limit, without a copy. The tensor keeps
   * the buffer reachable; later writes to it are seen by later runs.
   *
   * @param buffer direct, in native byte order, of exactly the bytes that the shape needs
   * @throws SealaneException {@link ErrorCode#INPUT_LAYOUT} for a heap buffer, the other byte order
   *     or another size; {@link ErrorCode#INPUT_DTYPE} for BYTES
   */
  public static Tensor wrap(DataType dtype, Shape shape, ByteBuffer buffer) {
    return adopt(dtype, shape, buffer, null);
  }

  /**
   * Memory that an engine owns, without a copy.
   *
   * @param buffer as for {@link #wrap}, and the very object that the engine's native code made, no
   *     slice of it; valid until {@code free} runs
   * @param free frees the memory; runs exactly once, when the last handle is closed and no view is
   *     left, on any thread; null when nothing needs freeing
   * @throws SealaneException as {@link #wrap}; {@code free} has not run then
   */
  public static Tensor adopt(
      DataType dtype, Shape shape, ByteBuffer buffer, @Nullable Runnable free) {
    requireFixedWidth(dtype);
    int bytes = shape.byteSize(dtype);
    if (!buffer.isDirect()) {
      throw layout(dtype, shape, "a direct buffer is needed, received a heap buffer");
    }
    if (buffer.order() != ByteOrder.nativeOrder()) {
      throw layout(
          dtype,
          shape,
          "the buffer's order must be " + ByteOrder.nativeOrder() + ", received " + buffer.order());
    }
    if (buffer.remaining() != bytes) {
      throw layout(dtype, shape, bytes + " bytes expected, received " + buffer.remaining());
    }
    // A view's hidden reference is to the buffer the engine made, so that one must be the root.
    ByteBuffer root = free == null ? buffer.slice().order(ByteOrder.nativeOrder()) : buffer;
    return new Tensor(dtype, shape, new Memory(dtype, shape, root, null, free));
  }

  /**
   * Text, copied from {@code values} in row-major order.
   *
   * @param values null elements mean missing, for inputs whose domain is nullable
   * @throws SealaneException {@link ErrorCode#INPUT_SHAPE} when the count is not the shape's
   */
  public static Tensor bytes(Shape shape, @Nullable String... values) {
    requireCount(DataType.BYTES, shape, values.length);
    Memory memory = new Memory(DataType.BYTES, shape, null, values.clone(), null);
    return new Tensor(DataType.BYTES, shape, memory);
  }

  /**
   * BOOL values. As all factories below, it copies, and refuses a count that is not the shape's.
   */
  public static Tensor bool(Shape shape, boolean... values) {
    return filled(DataType.BOOL, shape, values.length, to -> TensorWriter.put(to, values));
  }

  /** INT8 values. */
  public static Tensor int8(Shape shape, byte... values) {
    return filled(DataType.INT8, shape, values.length, to -> to.put(values));
  }

  /** INT16 values. */
  public static Tensor int16(Shape shape, short... values) {
    return filled(DataType.INT16, shape, values.length, to -> to.asShortBuffer().put(values));
  }

  /** INT32 values. */
  public static Tensor int32(Shape shape, int... values) {
    return filled(DataType.INT32, shape, values.length, to -> to.asIntBuffer().put(values));
  }

  /** INT64 values. */
  public static Tensor int64(Shape shape, long... values) {
    return filled(DataType.INT64, shape, values.length, to -> to.asLongBuffer().put(values));
  }

  /** UINT8 values from 0 to 255; others are {@link ErrorCode#INPUT_DOMAIN}. */
  public static Tensor uint8(Shape shape, int... values) {
    return filled(DataType.UINT8, shape, values.length, to -> TensorWriter.putUint8(to, values));
  }

  /** UINT16 values from 0 to 65,535; others are {@link ErrorCode#INPUT_DOMAIN}. */
  public static Tensor uint16(Shape shape, int... values) {
    return filled(DataType.UINT16, shape, values.length, to -> TensorWriter.putUint16(to, values));
  }

  /** UINT32 values from 0 to 2^32 - 1; others are {@link ErrorCode#INPUT_DOMAIN}. */
  public static Tensor uint32(Shape shape, long... values) {
    return filled(DataType.UINT32, shape, values.length, to -> TensorWriter.putUint32(to, values));
  }

  /** UINT64 values by their bits, as {@link Long#parseUnsignedLong(String)} gives them. */
  public static Tensor uint64(Shape shape, long... bits) {
    return filled(DataType.UINT64, shape, bits.length, to -> to.asLongBuffer().put(bits));
  }

  /** FP16 values, each the half nearest to the float given, ties to even. */
  public static Tensor fp16(Shape shape, float... values) {
    return filled(DataType.FP16, shape, values.length, to -> TensorWriter.putFp16(to, values));
  }

  /** FP16 values by their bits. */
  public static Tensor fp16Bits(Shape shape, short... bits) {
    return filled(DataType.FP16, shape, bits.length, to -> to.asShortBuffer().put(bits));
  }

  /** BF16 values, each the bfloat16 nearest to the float given, ties to even. */
  public static Tensor bf16(Shape shape, float... values) {
    return filled(DataType.BF16, shape, values.length, to -> TensorWriter.putBf16(to, values));
  }

  /** BF16 values by their bits. */
  public static Tensor bf16Bits(Shape shape, short... bits) {
    return filled(DataType.BF16, shape, bits.length, to -> to.asShortBuffer().put(bits));
  }

  /** FP32 values. */
  public static Tensor fp32(Shape shape, float... values) {
    return filled(DataType.FP32, shape, values.length, to -> to.asFloatBuffer().put(values));
  }

  /** FP64 values. */
  public static Tensor fp64(Shape shape, double... values) {
    return filled(DataType.FP64, shape, values.length, to -> to.asDoubleBuffer().put(values));
  }

  /**
   * Values of an array, or nested arrays of any depth such as {@code float[][]}, whose lengths give
   * the shape. {@code boolean} gives BOOL, {@code byte} INT8, {@code short} INT16, {@code int}
   * INT32, {@code long} INT64, {@code float} FP32, {@code double} FP64, {@code String} BYTES.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_RAGGED} for rows of unequal length or null
   *     rows; {@link ErrorCode#INPUT_DTYPE} for other element types
   */
  public static Tensor fromArray(Object array) {
    return NestedArray.read(array);
  }

  private static Tensor filled(DataType dtype, Shape shape, int count, Consumer<ByteBuffer> fill) {
    requireCount(dtype, shape, count);
    Tensor tensor = allocate(dtype, shape);
    try {
      fill.accept(tensor.memory.root().duplicate().order(ByteOrder.nativeOrder()));
    } catch (SealaneException refused) {
      tensor.close();
      throw refused;
    }
    return tensor;
  }

  /** Another handle on the same memory, to be closed on its own. */
  public Tensor share() {
    if (closed.get() || !memory.retain()) {
      throw closedError();
    }
    return new Tensor(dtype, shape, memory, start);
  }

  /**
   * Some rows, those of the first dim, as a handle on the same memory, to be closed on its own.
   *
   * @param from the first of them, counted from 0
   * @param count how many
   * @throws SealaneException {@link ErrorCode#INPUT_SHAPE} for a scalar, or rows that there are not
   */
  public Tensor rows(long from, long count) {
    if (shape.rank() == 0 || from < 0 || count < 0 || from > shape.dim(0) - count) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          describe(dtype, shape) + " has no " + count + " rows from row " + from);
    }
    long[] dims = shape.dims();
    long row = shape.elementCount() / Math.max(dims[0], 1) * Math.max(dtype.width(), 1);
    dims[0] = count;
    if (closed.get() || !memory.retain()) {
      throw closedError();
    }
    return new Tensor(dtype, Shape.of(dims), memory, start + (int) (from * row));
  }

  /** The element type; also known after close. */
  public DataType dtype() {
    return dtype;
  }

  /** The shape; also known after close. */
  public Shape shape() {
    return shape;
  }

  /** Whether this handle was closed. */
  public boolean isClosed() {
    return closed.get();
  }

  /**
   * A view of the memory in native byte order, from position 0; read-only when the wrapped buffer
   * was. See the class on how long it is valid.
   */
  public ByteBuffer buffer() {
    requireFixedWidth(dtype);
    try (Tensor held = share()) {
      return held.part(held.memory.view());
    }
  }

  /** A read-only view of FP32 values. */
  public FloatBuffer asFloatBuffer() {
    return view(DataType.FP32).asFloatBuffer();
  }

  /** A read-only view of FP64 values. */
  public DoubleBuffer asDoubleBuffer() {
    return view(DataType.FP64).asDoubleBuffer();
  }

  /** A read-only view of INT64 values or of the bits of UINT64 values. */
  public LongBuffer asLongBuffer() {
    return view(DataType.INT64, DataType.UINT64).asLongBuffer();
  }

  /** A read-only view of INT32 values or of the bits of UINT32 values. */
  public IntBuffer asIntBuffer() {
    return view(DataType.INT32, DataType.UINT32).asIntBuffer();
  }

  /** A read-only view of INT16 values or of the bits of UINT16, FP16 and BF16 values. */
  public ShortBuffer asShortBuffer() {
    return view(DataType.INT16, DataType.UINT16, DataType.FP16, DataType.BF16).asShortBuffer();
  }

  /** A copy of FP32 values, or of FP16 and BF16 values widened exactly. */
  public float[] floats() {
    return copied(bytes -> TensorReader.floats(dtype, bytes));
  }

  /** A copy of FP64 values, or of narrower float values widened exactly. */
  public double[] doubles() {
    return copied(bytes -> TensorReader.doubles(dtype, bytes));
  }

  /** A copy of integers of any type, widened exactly; of UINT64 the bits. */
  public long[] longs() {
    return copied(bytes -> TensorReader.longs(dtype, bytes));
  }

  /** A copy of INT8, UINT8, INT16, UINT16 and INT32 values, widened exactly. */
  public int[] ints() {
    return copied(bytes -> TensorReader.ints(dtype, bytes));
  }

  /** A copy of INT16 values or of the bits of UINT16, FP16 and BF16 values. */
  public short[] shorts() {
    return copied(bytes -> TensorReader.shorts(dtype, bytes));
  }

  /** A copy of BOOL values: true for every byte other than 0. */
  public boolean[] booleans() {
    return copied(bytes -> TensorReader.booleans(dtype, bytes));
  }

  /** A copy of the strings of a BYTES tensor; null elements are missing values. */
  public @Nullable String[] strings() {
    requireOpen();
    @Nullable String[] strings = memory.strings();
    if (strings == null) {
      throw TensorReader.wrongDtype(dtype, DataType.BYTES);
    }
    return Arrays.copyOfRange(strings, start, start + (int) shape.elementCount());
  }

  /**
   * Reads the memory in place, without a copy and without the lasting view of {@link #buffer}.
   *
   * @param reader takes the bytes in native order; they must not be kept or written after it
   *     returns
   */
  public <T extends @Nullable Object> T read(Function<ByteBuffer, T> reader) {
    return copied(reader);
  }

  /**
   * Copies all bytes of the memory into {@code target} at its position, which moves on.
   *
   * @throws SealaneException {@link ErrorCode#INPUT_LAYOUT} when fewer bytes remain in the target
   */
  public void copyTo(ByteBuffer target) {
    copied(
        bytes -> {
          if (target.remaining() < bytes.remaining()) {
            throw layout(
                dtype,
                shape,
                bytes.remaining() + " bytes needed, the target has " + target.remaining());
          }
          return target.put(bytes);
        });
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      memory.release();
    }
  }

  @Override
  public String toString() {
    return describe(dtype, shape) + (closed.get() ? " (closed)" : "");
  }

  private ByteBuffer view(DataType... allowed) {
    TensorReader.requireDtype(dtype, allowed);
    return buffer().asReadOnlyBuffer().order(ByteOrder.nativeOrder());
  }

  private <T extends @Nullable Object> T copied(Function<ByteBuffer, T> copy) {
    requireFixedWidth(dtype);
    // The extra handle keeps the memory while another thread closes this one.
    try (Tensor held = share()) {
      return copy.apply(held.part(held.memory.root().duplicate().order(ByteOrder.nativeOrder())));
    }
  }

  /** This handle's part of the memory. */
  private ByteBuffer part(ByteBuffer whole) {
    int bytes = shape.byteSize(dtype);
    if (whole.remaining() == bytes) {
      return whole;
    }
    return whole.slice(whole.position() + start, bytes).order(ByteOrder.nativeOrder());
  }

  private void requireOpen() {
    if (closed.get()) {
      throw closedError();
    }
  }

  private SealaneException closedError() {
    return new SealaneException(
        ErrorCode.TENSOR_CLOSED,
        describe(dtype, shape) + " was used after close; keep it open until the last use");
  }

  private static String describe(DataType dtype, Shape shape) {
    return "Tensor " + dtype + shape;
  }

  private static void requireFixedWidth(DataType dtype) {
    if (dtype == DataType.BYTES) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE, "a BYTES tensor has no buffer; use Tensor.bytes and strings()");
    }
  }

  private static void requireCount(DataType dtype, Shape shape, int count) {
    if (shape.elementCount() != count) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          describe(dtype, shape) + " needs " + shape.elementCount() + " values, received " + count);
    }
  }

  private static SealaneException layout(DataType dtype, Shape shape, String problem) {
    return new SealaneException(ErrorCode.INPUT_LAYOUT, describe(dtype, shape) + ": " + problem);
  }
}
