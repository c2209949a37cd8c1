package io.sealane.bundle;

import io.sealane.core.DataType;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** What other formats call a {@link DataType}: the table of tests/conformance/dtypes.json. */
final class Dtypes {
  private static final Map<String, DataType> SAFETENSORS =
      Map.ofEntries(
          Map.entry("BOOL", DataType.BOOL),
          Map.entry("U8", DataType.UINT8),
          Map.entry("U16", DataType.UINT16),
          Map.entry("U32", DataType.UINT32),
          Map.entry("U64", DataType.UINT64),
          Map.entry("I8", DataType.INT8),
          Map.entry("I16", DataType.INT16),
          Map.entry("I32", DataType.INT32),
          Map.entry("I64", DataType.INT64),
          Map.entry("F16", DataType.FP16),
          Map.entry("BF16", DataType.BF16),
          Map.entry("F32", DataType.FP32),
          Map.entry("F64", DataType.FP64));

  private Dtypes() {}

  static @Nullable DataType ofSafetensors(String name) {
    return SAFETENSORS.get(name);
  }

  /**
   * The name in safetensors.
   *
   * @param type any but BYTES
   */
  static String safetensors(DataType type) {
    for (Map.Entry<String, DataType> entry : SAFETENSORS.entrySet()) {
      if (entry.getValue() == type) {
        return entry.getKey();
      }
    }
    throw new IllegalArgumentException(type + " has no name in safetensors");
  }

  /** The value of onnx.TensorProto.DataType. */
  static int onnx(DataType type) {
    return switch (type) {
      case FP32 -> 1;
      case UINT8 -> 2;
      case INT8 -> 3;
      case UINT16 -> 4;
      case INT16 -> 5;
      case INT32 -> 6;
      case INT64 -> 7;
      case BYTES -> 8;
      case BOOL -> 9;
      case FP16 -> 10;
      case FP64 -> 11;
      case UINT32 -> 12;
      case UINT64 -> 13;
      case BF16 -> 16;
    };
  }

  /** What a value of onnx.TensorProto.DataType is called here, or null. */
  static @Nullable DataType ofOnnx(int type) {
    return of(type, Dtypes::onnx);
  }

  /** What a value of tensorflow.DataType is called here, or null. */
  static @Nullable DataType ofTensorflow(int type) {
    return of(type, Dtypes::tensorflow);
  }

  private static @Nullable DataType of(int type, ToIntFunction<DataType> value) {
    for (DataType each : DataType.values()) {
      if (value.applyAsInt(each) == type) {
        return each;
      }
    }
    return null;
  }

  /** The value of tensorflow.DataType. */
  static int tensorflow(DataType type) {
    return switch (type) {
      case FP32 -> 1;
      case FP64 -> 2;
      case INT32 -> 3;
      case UINT8 -> 4;
      case INT16 -> 5;
      case INT8 -> 6;
      case BYTES -> 7;
      case INT64 -> 9;
      case BOOL -> 10;
      case BF16 -> 14;
      case UINT16 -> 17;
      case FP16 -> 19;
      case UINT32 -> 22;
      case UINT64 -> 23;
    };
  }
}
