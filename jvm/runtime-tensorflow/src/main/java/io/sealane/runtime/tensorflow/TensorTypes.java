package io.sealane.runtime.tensorflow;

import io.sealane.core.DataType;
import org.jspecify.annotations.Nullable;

/** Dtypes and their numbers in TensorFlow's {@code types.proto}. */
final class TensorTypes {
  private TensorTypes() {}

  static int number(DataType dtype) {
    return switch (dtype) {
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

  /** The dtype of a number, or null for one that is no dtype of Sealane's. */
  static @Nullable DataType of(int number) {
    for (DataType dtype : DataType.values()) {
      if (number(dtype) == number) {
        return dtype;
      }
    }
    return null;
  }
}
