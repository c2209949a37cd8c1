package io.sealane.server;

import com.linecorp.armeria.common.MediaType;
import io.sealane.core.DataType;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What a body is, told by its declared type and, where that says nothing, by its bytes. */
final class TorchServeBody {
  /** No name of a field that a form begins with is longer. */
  private static final int NAME = 1024;

  private TorchServeBody() {}

  /** How bytes are read. */
  enum Kind {
    /** As JSON. */
    JSON,
    /** As the bytes of an input; of a BYTES input, its text. */
    RAW;

    /**
     * The kind of a body for an input. Text is never taken for the bytes of numbers, nor bytes for
     * text: what is neither is refused when it is read.
     */
    static Kind of(DataType dtype, @Nullable MediaType type, byte[] body) {
      boolean text = dtype == DataType.BYTES;
      if (type != null && type.isJson()) {
        return JSON;
      }
      if (type != null && isBinary(type)) {
        return RAW;
      }
      if (type != null && type.type().equals("text")) {
        return text ? RAW : JSON;
      }
      if (!isText(body)) {
        return RAW;
      }
      return text && !beginsAsJson(body) ? RAW : JSON;
    }
  }

  private static boolean isBinary(MediaType type) {
    return switch (type.type()) {
      case "image", "audio", "video" -> true;
      default -> type.is(MediaType.OCTET_STREAM);
    };
  }

  /** Whether the bytes are UTF-8 without control characters other than white space. */
  private static boolean isText(byte[] body) {
    boolean ascii = true;
    for (byte each : body) {
      boolean control = (each >= 0 && each < ' ') || each == 0x7f;
      if (control && each != '\t' && each != '\n' && each != '\r') {
        return false;
      }
      ascii &= each >= 0;
    }
    return ascii || isUtf8(body);
  }

  private static boolean isUtf8(byte[] body) {
    try {
      CharBuffer unused = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
      return true;
    } catch (CharacterCodingException bytes) {
      return false;
    }
  }

  /** Whether the first character that is no white space begins a list, an object or a text. */
  static boolean beginsAsJson(byte[] body) {
    for (byte each : body) {
      if (each != ' ' && each != '\t' && each != '\n' && each != '\r') {
        return each == '[' || each == '{' || each == '"';
      }
    }
    return false;
  }

  /** The beginning of a form, as far as its first name. */
  static String beginning(byte[] form) {
    String text = new String(form, 0, Math.min(form.length, NAME), StandardCharsets.UTF_8);
    int end = text.indexOf('=');
    return end < 0 ? "" : text.substring(0, end);
  }
}
