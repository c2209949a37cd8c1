package io.sealane.server;

import com.google.protobuf.ByteString;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TextBytes;
import io.sealane.protocols.inference.InferTensorContents;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** Tensors as V2's gRPC has them in lists by type. */
final class GrpcTensors {
  private GrpcTensors() {}

  static Tensor read(String name, DataType dtype, long[] dims, InferTensorContents contents) {
    int given = count(name, dtype, contents);
    Shape shape = Requests.shape(dims, name, given);
    if (shape.elementCount() != given) {
      throw Requests.invalid(
          "input '"
              + name
              + "' of shape "
              + shape
              + " needs "
              + shape.elementCount()
              + " values, received "
              + given);
    }
    if (dtype == DataType.BYTES) {
      return Tensor.bytes(shape, strings(contents.getBytesContentsList()));
    }
    Tensor tensor = Tensor.allocate(dtype, shape);
    try {
      fill(name, dtype, contents, tensor.buffer());
      return tensor;
    } catch (RuntimeException refused) {
      tensor.close();
      throw refused;
    }
  }

  private static String[] strings(List<ByteString> values) {
    String[] strings = new String[values.size()];
    for (int i = 0; i < strings.length; i++) {
      strings[i] = TextBytes.decode(values.get(i).asReadOnlyByteBuffer());
    }
    return strings;
  }

  /** How many values the list of the datatype has; no other list may have any. */
  private static int count(String name, DataType dtype, InferTensorContents contents) {
    int[] counts = {
      contents.getBoolContentsCount(),
      contents.getIntContentsCount(),
      contents.getInt64ContentsCount(),
      contents.getUintContentsCount(),
      contents.getUint64ContentsCount(),
      contents.getFp32ContentsCount(),
      contents.getFp64ContentsCount(),
      contents.getBytesContentsCount()
    };
    int wanted =
        switch (dtype) {
          case BOOL -> 0;
          case INT8, INT16, INT32 -> 1;
          case INT64 -> 2;
          case UINT8, UINT16, UINT32 -> 3;
          case UINT64 -> 4;
          case FP32 -> 5;
          case FP64 -> 6;
          case BYTES -> 7;
          case FP16, BF16 ->
              throw Requests.invalid(
                  "input '" + name + "' is " + dtype + ", which has no typed form: send it raw");
        };
    if (Arrays.stream(counts).sum() != counts[wanted]) {
      throw Requests.invalid(
          "input '" + name + "' is " + dtype + " and has values of another type");
    }
    return counts[wanted];
  }

  private static void fill(
      String name, DataType dtype, InferTensorContents contents, ByteBuffer to) {
    for (int i = 0; to.hasRemaining(); i++) {
      switch (dtype) {
        case BOOL -> to.put((byte) (contents.getBoolContents(i) ? 1 : 0));
        case INT8 -> to.put((byte) within(name, dtype, contents.getIntContents(i), 8));
        case INT16 -> to.putShort((short) within(name, dtype, contents.getIntContents(i), 16));
        case INT32 -> to.putInt(contents.getIntContents(i));
        case INT64 -> to.putLong(contents.getInt64Contents(i));
        case UINT8 -> to.put((byte) below(name, dtype, contents.getUintContents(i), 8));
        case UINT16 -> to.putShort((short) below(name, dtype, contents.getUintContents(i), 16));
        case UINT32 -> to.putInt(contents.getUintContents(i));
        case UINT64 -> to.putLong(contents.getUint64Contents(i));
        case FP32 -> to.putFloat(contents.getFp32Contents(i));
        case FP64 -> to.putDouble(contents.getFp64Contents(i));
        case FP16, BF16, BYTES -> throw new IllegalStateException(dtype.toString());
      }
    }
  }

  private static int within(String name, DataType dtype, int value, int bits) {
    int most = 1 << (bits - 1);
    if (value < -most || value >= most) {
      throw Requests.invalid("input '" + name + "' is " + dtype + ", received " + value);
    }
    return value;
  }

  private static int below(String name, DataType dtype, int value, int bits) {
    if (value >>> bits != 0) {
      throw Requests.invalid(
          "input '" + name + "' is " + dtype + ", received " + Integer.toUnsignedString(value));
    }
    return value;
  }

  /** Whether a datatype has no list. */
  static boolean isRawOnly(DataType dtype) {
    return dtype == DataType.FP16 || dtype == DataType.BF16;
  }

  /** A tensor's values in the list of its datatype, which has one. */
  static InferTensorContents contents(Tensor tensor) {
    InferTensorContents.Builder contents = InferTensorContents.newBuilder();
    switch (tensor.dtype()) {
      case BOOL -> each(tensor.booleans(), contents);
      case INT8, INT16, INT32 ->
          Arrays.stream(tensor.longs()).forEach(v -> contents.addIntContents((int) v));
      case INT64 -> Arrays.stream(tensor.longs()).forEach(contents::addInt64Contents);
      case UINT8, UINT16, UINT32 ->
          Arrays.stream(tensor.longs()).forEach(v -> contents.addUintContents((int) v));
      case UINT64 -> Arrays.stream(tensor.longs()).forEach(contents::addUint64Contents);
      case FP32 -> {
        for (float value : tensor.floats()) {
          contents.addFp32Contents(value);
        }
      }
      case FP64 -> Arrays.stream(tensor.doubles()).forEach(contents::addFp64Contents);
      case BYTES -> {
        for (String value : tensor.strings()) {
          contents.addBytesContents(
              ByteString.copyFrom(TextBytes.encode(value == null ? "" : value)));
        }
      }
      case FP16, BF16 -> throw new IllegalStateException(tensor.dtype().toString());
    }
    return contents.build();
  }

  private static void each(boolean[] values, InferTensorContents.Builder contents) {
    for (boolean value : values) {
      contents.addBoolContents(value);
    }
  }
}
