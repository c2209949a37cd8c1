package io.sealane.server;

import com.google.protobuf.ByteString;
import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.core.TextBytes;
import io.sealane.protocols.tensorflow.TensorProto;
import io.sealane.protocols.tensorflow.TensorShapeProto;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.IntConsumer;

/** TensorFlow's tensors on the wire. */
final class TensorProtos {
  /** The most elements that fewer values may stand for: few bytes must not ask for much memory. */
  private static final int REPEATED = 1 << 16;

  private TensorProtos() {}

  static io.sealane.protocols.tensorflow.DataType type(DataType dtype) {
    return io.sealane.protocols.tensorflow.DataType.valueOf(V1Descriptions.type(dtype));
  }

  private static DataType dtype(String name, TensorProto proto) {
    for (DataType each : DataType.values()) {
      if (type(each) == proto.getDtype()) {
        return each;
      }
    }
    throw Requests.invalid("input '" + name + "' has no dtype that is served");
  }

  /**
   * Reads a tensor: its bytes, or its list, whose last value stands for all that are not there.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static Tensor read(String name, TensorProto proto) {
    DataType dtype = dtype(name, proto);
    if (proto.getTensorShape().getUnknownRank()) {
      throw Requests.invalid("input '" + name + "' has no shape");
    }
    long[] dims =
        proto.getTensorShape().getDimList().stream()
            .mapToLong(TensorShapeProto.Dim::getSize)
            .toArray();
    if (!proto.getTensorContent().isEmpty() && dtype != DataType.BYTES) {
      return RawTensors.read(name, dtype, dims, proto.getTensorContent().asReadOnlyByteBuffer());
    }
    int given = given(dtype, proto);
    Shape shape = Requests.shape(dims, name, Math.max(given, REPEATED));
    int count = (int) shape.elementCount();
    if (given > count || (given == 0 && count > 0)) {
      throw Requests.invalid(
          "input '" + name + "' of shape " + shape + " has " + given + " values");
    }
    if (dtype == DataType.BYTES) {
      return Tensor.bytes(shape, texts(name, proto.getStringValList(), count));
    }
    Tensor tensor = Tensor.allocate(dtype, shape);
    try {
      IntConsumer put = putter(name, dtype, proto, tensor.buffer());
      for (int i = 0; i < count; i++) {
        put.accept(Math.min(i, given - 1));
      }
      return tensor;
    } catch (RuntimeException refused) {
      tensor.close();
      throw refused;
    }
  }

  private static int given(DataType dtype, TensorProto proto) {
    return switch (dtype) {
      case FP16, BF16 -> proto.getHalfValCount();
      case FP32 -> proto.getFloatValCount();
      case FP64 -> proto.getDoubleValCount();
      case INT8, UINT8, INT16, UINT16, INT32 -> proto.getIntValCount();
      case INT64 -> proto.getInt64ValCount();
      case UINT32 -> proto.getUint32ValCount();
      case UINT64 -> proto.getUint64ValCount();
      case BOOL -> proto.getBoolValCount();
      case BYTES -> proto.getStringValCount();
    };
  }

  private static String[] texts(String name, List<ByteString> values, int count) {
    int given = values.size();
    Requests.requireFew(name, given == 0 ? 0 : values.get(given - 1).size(), count - given);
    String[] texts = new String[count];
    for (int i = 0; i < count; i++) {
      texts[i] = i < given ? TextBytes.decode(values.get(i).asReadOnlyByteBuffer()) : texts[i - 1];
    }
    return texts;
  }

  private static IntConsumer putter(String name, DataType dtype, TensorProto proto, ByteBuffer to) {
    return switch (dtype) {
      case FP16, BF16 -> i -> to.putShort((short) proto.getHalfVal(i));
      case FP32 -> i -> to.putFloat(proto.getFloatVal(i));
      case FP64 -> i -> to.putDouble(proto.getDoubleVal(i));
      case INT8 -> i -> to.put((byte) within(name, dtype, proto.getIntVal(i), -0x80, 0x7f));
      case UINT8 -> i -> to.put((byte) within(name, dtype, proto.getIntVal(i), 0, 0xff));
      case INT16 ->
          i -> to.putShort((short) within(name, dtype, proto.getIntVal(i), -0x8000, 0x7fff));
      case UINT16 -> i -> to.putShort((short) within(name, dtype, proto.getIntVal(i), 0, 0xffff));
      case INT32 -> i -> to.putInt(proto.getIntVal(i));
      case INT64 -> i -> to.putLong(proto.getInt64Val(i));
      case UINT32 -> i -> to.putInt(proto.getUint32Val(i));
      case UINT64 -> i -> to.putLong(proto.getUint64Val(i));
      case BOOL -> i -> to.put((byte) (proto.getBoolVal(i) ? 1 : 0));
      case BYTES -> throw new IllegalStateException("texts have no memory");
    };
  }

  private static int within(String name, DataType dtype, int value, int least, int most) {
    if (value < least || value > most) {
      throw Requests.invalid("input '" + name + "' is " + dtype + ", received " + value);
    }
    return value;
  }

  /** A tensor in the list of its dtype, as TensorFlow Serving answers. */
  static TensorProto write(Tensor tensor) {
    TensorProto.Builder proto =
        TensorProto.newBuilder().setDtype(type(tensor.dtype())).setTensorShape(shape(tensor));
    switch (tensor.dtype()) {
      case FP16, BF16 -> {
        for (short bits : tensor.shorts()) {
          proto.addHalfVal(bits & 0xffff);
        }
      }
      case FP32 -> {
        for (float value : tensor.floats()) {
          proto.addFloatVal(value);
        }
      }
      case FP64 -> {
        for (double value : tensor.doubles()) {
          proto.addDoubleVal(value);
        }
      }
      case BOOL -> {
        for (boolean value : tensor.booleans()) {
          proto.addBoolVal(value);
        }
      }
      case BYTES -> {
        for (String value : tensor.strings()) {
          proto.addStringVal(ByteString.copyFrom(TextBytes.encode(value == null ? "" : value)));
        }
      }
      case INT8, UINT8, INT16, UINT16, INT32, INT64, UINT32, UINT64 -> integers(tensor, proto);
    }
    return proto.build();
  }

  private static void integers(Tensor tensor, TensorProto.Builder proto) {
    for (long value : tensor.longs()) {
      switch (tensor.dtype()) {
        case INT64 -> proto.addInt64Val(value);
        case UINT32 -> proto.addUint32Val((int) value);
        case UINT64 -> proto.addUint64Val(value);
        default -> proto.addIntVal((int) value);
      }
    }
  }

  private static TensorShapeProto shape(Tensor tensor) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : tensor.shape().dims()) {
      shape.addDimBuilder().setSize(dim);
    }
    return shape.build();
  }

  static TensorShapeProto shape(TensorSpec spec) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    V2Models.shape(spec).forEach(dim -> shape.addDimBuilder().setSize(dim));
    return shape.build();
  }
}
