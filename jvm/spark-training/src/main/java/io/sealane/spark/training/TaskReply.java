package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * What a task tells the driver, as bytes whatever Spark's serializer is: a result, or an error that
 * no other try would mend.
 */
final class TaskReply {
  /** An error: its code, a line feed, its message. */
  static final byte ERROR = 0;

  /** A result. */
  static final byte RESULT = 1;

  private TaskReply() {}

  /** The result of some work, or the error with a code that ends it. */
  static byte[] of(Supplier<byte[]> work) {
    try {
      byte[] result = work.get();
      return ByteBuffer.allocate(result.length + 1).put(RESULT).put(result).array();
    } catch (SealaneException refused) {
      return error(refused);
    }
  }

  static byte[] error(SealaneException refused) {
    String code = refused.code().name();
    String message = String.valueOf(refused.getMessage()).replaceFirst("^" + code + ": ", "");
    byte[] text = (code + "\n" + message).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(text.length + 1).put(ERROR).put(text).array();
  }

  /**
   * The result.
   *
   * @throws SealaneException the error
   */
  static byte[] open(byte[] reply) {
    byte[] content = Arrays.copyOfRange(reply, 1, reply.length);
    if (reply[0] == RESULT) {
      return content;
    }
    String[] told = new String(content, StandardCharsets.UTF_8).split("\n", 2);
    throw new SealaneException(ErrorCode.valueOf(told[0]), told[1]);
  }
}
