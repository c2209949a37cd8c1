package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo.OnnxTensorType;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.EnumMap;
import java.util.Map;

/** Dtypes and what ONNX Runtime calls them. */
final class OrtDataTypes {
  private static final Map<OnnxTensorType, DataType> BY_ORT = new EnumMap<>(OnnxTensorType.class);

  static {
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, DataType.BOOL);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, DataType.UINT8);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, DataType.UINT16);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, DataType.UINT32);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, DataType.UINT64);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, DataType.INT8);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, DataType.INT16);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, DataType.INT32);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, DataType.INT64);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, DataType.FP16);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, DataType.BF16);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, DataType.FP32);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, DataType.FP64);
    BY_ORT.put(OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, DataType.BYTES);
  }

  private OrtDataTypes() {}

  /** The dtype of an ONNX Runtime tensor. */
  static DataType of(OnnxTensorType type) {
    DataType dtype = BY_ORT.get(type);
    if (dtype == null) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED, "Sealane has no dtype for ONNX Runtime's " + type);
    }
    return dtype;
  }

  /** Whether ONNX Runtime's Java API can not create this dtype, so that a Cast has to. */
  static boolean needsCast(DataType dtype) {
    return dtype == DataType.UINT16 || dtype == DataType.UINT32 || dtype == DataType.UINT64;
  }

  /** The Java type whose memory holds this dtype: for unsigned ones the signed of that width. */
  static OnnxJavaType carrier(DataType dtype) {
    return switch (dtype) {
      case BOOL -> OnnxJavaType.BOOL;
      case UINT8 -> OnnxJavaType.UINT8;
      case INT8 -> OnnxJavaType.INT8;
      case UINT16, INT16 -> OnnxJavaType.INT16;
      case UINT32, INT32 -> OnnxJavaType.INT32;
      case UINT64, INT64 -> OnnxJavaType.INT64;
      case FP16 -> OnnxJavaType.FLOAT16;
      case BF16 -> OnnxJavaType.BFLOAT16;
      case FP32 -> OnnxJavaType.FLOAT;
      case FP64 -> OnnxJavaType.DOUBLE;
      case BYTES -> OnnxJavaType.STRING;
    };
  }

  /** The number of a dtype in {@code TensorProto.DataType}. */
  static int protoNumber(DataType dtype) {
    return switch (dtype) {
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

  /** The signed dtype of the same width. */
  static DataType signed(DataType unsigned) {
    return switch (unsigned) {
      case UINT16 -> DataType.INT16;
      case UINT32 -> DataType.INT32;
      case UINT64 -> DataType.INT64;
      default -> throw new IllegalArgumentException(unsigned.toString());
    };
  }
}
