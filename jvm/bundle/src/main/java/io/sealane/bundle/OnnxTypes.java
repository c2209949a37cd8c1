package io.sealane.bundle;

/** The widths of onnx.TensorProto.DataType. Source: onnx/onnx.proto of the ONNX project. */
final class OnnxTypes {
  static final int STRING = 8;
  static final int BOOL = 9;

  private OnnxTypes() {}

  /** Bits of one element; 128 for strings, 0 for a type this version does not know. */
  static int bits(int type) {
    return switch (type) {
      case 2, 3, 9, 17, 18, 19, 20, 24 -> 8;
      case 4, 5, 10, 16 -> 16;
      case 1, 6, 12 -> 32;
      case 7, 11, 13, 14 -> 64;
      case 8, 15 -> 128;
      case 21, 22, 23 -> 4;
      case 25, 26 -> 2;
      default -> 0;
    };
  }

  /** Bytes of that many elements, rounded up; saturates. */
  static long bytes(int type, long elements) {
    int bits = bits(type);
    if (bits >= 8 || bits == 0) {
      return Sizes.times(elements, Math.max(1, bits / 8));
    }
    int perByte = 8 / bits;
    return elements / perByte + (elements % perByte == 0 ? 0 : 1);
  }

  static boolean isInteger(int type) {
    return switch (type) {
      case 2, 3, 4, 5, 6, 7, 9, 12, 13 -> true;
      default -> false;
    };
  }
}
