package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.serving.InferenceRequest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What requests of all kinds have in common. */
final class Requests {
  /** The most bytes that a value becomes which a request has once and a model many times. */
  private static final long MOST_REPEATED = 1 << 22;

  private Requests() {}

  static SealaneException invalid(String problem) {
    return new SealaneException(ErrorCode.REQUEST_INVALID, problem);
  }

  static SealaneException unsupported(String problem) {
    return new SealaneException(ErrorCode.REQUEST_UNSUPPORTED, problem);
  }

  static DataType dtype(String name, String input) {
    for (DataType each : DataType.values()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    throw invalid("input '" + input + "' has no datatype '" + quoted(name) + "'");
  }

  /**
   * A shape whose values can be in the request: what a shape promises is not allocated before.
   *
   * @param most the most elements that the request's bytes can hold
   */
  static Shape shape(long[] dims, String input, long most) {
    Shape shape = Shape.of(dims);
    if (shape.elementCount() > most) {
      throw invalid(
          "input '" + input + "' has shape " + shape + ", more elements than the request holds");
    }
    return shape;
  }

  /**
   * Refuses what a request has once and asks for many times: few bytes must not become many.
   *
   * @param bytes of what is repeated
   * @throws SealaneException REQUEST_INVALID
   */
  static void requireFew(String input, long bytes, long times) {
    if (bytes * times > MOST_REPEATED) {
      throw invalid(
          "input '"
              + input
              + "' repeats "
              + bytes
              + " bytes "
              + times
              + " times, which is too much");
    }
  }

  /** When so many nanoseconds from now are over; null for none. */
  static @Nullable Long deadline(long timeout) {
    return timeout > 0 ? Long.valueOf(System.nanoTime() + timeout) : null;
  }

  /**
   * A V2 request as the data plane takes it; Triton's scheduling parameters become its own. One
   * that is refused is closed.
   */
  static InferenceRequest of(
      String model, @Nullable String version, V2Request request, long defaultTimeout) {
    try {
      return scheduled(model, version, request, defaultTimeout);
    } catch (RuntimeException refused) {
      request.close();
      throw refused;
    }
  }

  private static InferenceRequest scheduled(
      String model, @Nullable String version, V2Request request, long defaultTimeout) {
    Map<String, Object> parameters = request.parameters();
    for (Map.Entry<String, Object> each : parameters.entrySet()) {
      boolean sequence = each.getKey().startsWith("sequence_");
      if (sequence && !isNothing(each.getValue())) {
        throw unsupported("sequences are not kept: parameter '" + each.getKey() + "'");
      }
      if (each.getKey().startsWith("triton_") || each.getKey().equals("headers")) {
        throw invalid("parameter '" + quoted(each.getKey()) + "' is reserved");
      }
    }
    long timeout = number(parameters, "timeout", defaultTimeout / 1000) * 1000;
    // In Triton 1 goes first, and 0 is none: it goes last.
    long priority = number(parameters, "priority", 0);
    int place = priority == 0 ? Integer.MAX_VALUE : (int) Math.min(priority, Integer.MAX_VALUE);
    return new InferenceRequest(
        model,
        version,
        request.inputs(),
        request.names(),
        deadline(timeout),
        place,
        RoutingKey.of(parameters));
  }

  private static boolean isNothing(Object value) {
    return value.equals(0L) || value.equals(false) || value.equals("");
  }

  private static long number(Map<String, Object> parameters, String name, long otherwise) {
    Object value = parameters.get(name);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Long number && number >= 0 && number < Long.MAX_VALUE / 1000) {
      return number;
    }
    throw invalid("parameter '" + name + "' must be a whole number of 0 or more");
  }

  /** Whether a code point is half of a pair, which stands for no character by itself. */
  static boolean isHalf(int codePoint) {
    return Character.getType(codePoint) == Character.SURROGATE;
  }

  /** Text of a client in a message: short, and without control characters or half ones. */
  static String quoted(String text) {
    String shown = text.length() > 64 ? text.substring(0, 64) + "…" : text;
    return shown
        .codePoints()
        .map(each -> Character.isISOControl(each) || isHalf(each) ? '?' : each)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
