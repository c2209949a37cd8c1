package io.sealane.runtime.tensorflow;

import io.sealane.core.Shape;
import io.sealane.core.TextBytes;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.tensorflow.internal.c_api.Deallocator_Pointer_long_Pointer;
import org.tensorflow.internal.c_api.TF_TString;
import org.tensorflow.internal.c_api.TF_Tensor;
import org.tensorflow.internal.c_api.global.tensorflow;

/** Strings in TensorFlow's own form, {@code TF_TString}: any bytes in, UTF-8 out. */
final class Text {
  private static final long WIDTH = 24;

  /** What Eigen demands of a tensor's address. */
  private static final long ALIGNMENT = 64;

  /** Frees strings when TensorFlow lets go of their tensor, which may be after the run. */
  private static final Deallocator_Pointer_long_Pointer FREE =
      new Deallocator_Pointer_long_Pointer() {
        @Override
        public void call(Pointer data, long bytes, Pointer block) {
          TF_TString string = new TF_TString(data);
          for (long i = 0; i < bytes / WIDTH; i++) {
            tensorflow.TF_TString_Dealloc(string.position(i));
          }
          Pointer.free(block);
        }
      };

  private Text() {}

  /** A tensor of strings; null becomes the empty string. The caller deletes it. */
  static TF_Tensor create(@Nullable String[] strings, Shape shape, String what) {
    // Zeros are empty strings.
    Pointer block = Pointer.calloc(strings.length * WIDTH + ALIGNMENT, 1);
    Pointer aligned = block.getPointer((ALIGNMENT - block.address() % ALIGNMENT) % ALIGNMENT);
    TF_TString string = new TF_TString(aligned);
    for (int i = 0; i < strings.length; i++) {
      String value = strings[i];
      if (value != null && !value.isEmpty()) {
        copy(TextBytes.encode(value), string.position(i));
      }
    }
    @Nullable TF_Tensor created =
        tensorflow.TF_NewTensor(
            tensorflow.TF_STRING,
            shape.dims(),
            shape.rank(),
            aligned,
            strings.length * WIDTH,
            FREE,
            block);
    if (created == null) {
      throw Failures.result(what, "TensorFlow could not take " + strings.length + " strings");
    }
    return created;
  }

  private static void copy(byte[] bytes, TF_TString string) {
    BytePointer data = tensorflow.TF_TString_ResizeUninitialized(string, bytes.length);
    data.put(bytes);
  }

  static String[] read(TF_Tensor tensor, int count, String what) {
    String[] strings = new String[count];
    if (count == 0) {
      return strings;
    }
    TF_TString string = new TF_TString(tensorflow.TF_TensorData(tensor));
    for (int i = 0; i < count; i++) {
      string.position(i);
      byte[] utf8 = new byte[Math.toIntExact(tensorflow.TF_TString_GetSize(string))];
      tensorflow.TF_TString_GetDataPointer(string).get(utf8);
      strings[i] = decode(utf8, i, what);
    }
    return strings;
  }

  private static String decode(byte[] utf8, int index, String what) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException notText) {
      throw Failures.result(what, "element " + index + " is not UTF-8 text");
    }
  }
}
