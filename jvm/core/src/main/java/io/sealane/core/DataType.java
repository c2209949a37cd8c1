package io.sealane.core;

/**
 * A tensor's element type, by its Open Inference Protocol name. What each system calls it stands in
 * {@code tests/conformance/dtypes.json}.
 */
public enum DataType {
  /** One byte, 0 or 1. */
  BOOL(1),
  /** Unsigned 8-bit integer, held in a Java byte's bits. */
  UINT8(1),
  /** Unsigned 16-bit integer, held in a Java short's bits. */
  UINT16(2),
  /** Unsigned 32-bit integer, held in a Java int's bits. */
  UINT32(4),
  /** Unsigned 64-bit integer, held in a Java long's bits. */
  UINT64(8),
  /** Signed 8-bit integer. */
  INT8(1),
  /** Signed 16-bit integer. */
  INT16(2),
  /** Signed 32-bit integer. */
  INT32(4),
  /** Signed 64-bit integer. */
  INT64(8),
  /** IEEE 754 half precision, held in a Java short's bits. */
  FP16(2),
  /** bfloat16, held in a Java short's bits. */
  BF16(2),
  /** IEEE 754 single precision. */
  FP32(4),
  /** IEEE 754 double precision. */
  FP64(8),
  /** UTF-8 text of any length; where the engine reads them, any bytes as {@link TextBytes}. */
  BYTES(0);

  private final int width;

  DataType(int width) {
    this.width = width;
  }

  /** Bytes per element; 0 for {@link #BYTES}, whose elements have no fixed width. */
  public int width() {
    return width;
  }

  /** Whether elements are floating point, so that NaN may mean a missing value. */
  public boolean isFloat() {
    return this == FP16 || this == BF16 || this == FP32 || this == FP64;
  }
}
