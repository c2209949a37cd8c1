package io.sealane.runtime.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.sealane.core.DataType;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One-node models that do to a tensor what ONNX Runtime's Java API can not. The shared ones are
 * loaded on first use and live as long as the process; all are safe for use by several threads.
 */
final class SmallGraph {
  static final String X = "x";
  static final String Y = "y";
  static final String SUFFIX = "suffix";

  private static final Map<String, OrtSession> SHARED = new ConcurrentHashMap<>();

  private SmallGraph() {}

  /**
   * Reinterprets integers as signed or unsigned of the same width: a Cast, which ONNX Runtime
   * computes as C++ does, modulo 2^n.
   */
  static OrtSession cast(DataType from, DataType to) throws OrtException {
    ProtoWriter node =
        OnnxProto.node("Cast", List.of(X), Y)
            .message(
                OnnxProto.NODE_ATTRIBUTE,
                OnnxProto.intAttribute("to", OrtDataTypes.protoNumber(to)));
    return shared("cast " + from + " " + to, node, List.of(value(X, from)), value(Y, to));
  }

  /** Tells for each string whether it matches a regular expression (RE2). */
  static OrtSession fullMatch(String pattern) throws OrtException {
    ProtoWriter node =
        OnnxProto.node("RegexFullMatch", List.of(X), Y)
            .message(OnnxProto.NODE_ATTRIBUTE, OnnxProto.stringAttribute("pattern", pattern));
    return shared(
        "match " + pattern, node, List.of(value(X, DataType.BYTES)), value(Y, DataType.BOOL));
  }

  /** Appends the string {@link #SUFFIX}, an input of one element, to each string. */
  static OrtSession append() throws OrtException {
    return shared(
        "append",
        OnnxProto.node("StringConcat", List.of(X, SUFFIX), Y),
        List.of(value(X, DataType.BYTES), value(SUFFIX, DataType.BYTES)),
        value(Y, DataType.BYTES));
  }

  /** Gives back a constant; not shared, to be closed by the caller. */
  static OrtSession constant(ProtoWriter tensor) throws OrtException {
    ProtoWriter node = OnnxProto.node("Identity", List.of("constant"), Y);
    return load(OnnxProto.model(node, List.of(), value(Y, DataType.BYTES), List.of(tensor)));
  }

  /** The only output of a run. */
  static OnnxTensor only(OrtSession.Result result) {
    return (OnnxTensor) result.get(0);
  }

  private static ProtoWriter value(String name, DataType dtype) {
    return OnnxProto.value(name, OrtDataTypes.protoNumber(dtype));
  }

  private static OrtSession shared(
      String key, ProtoWriter node, List<ProtoWriter> inputs, ProtoWriter output)
      throws OrtException {
    OrtSession known = SHARED.get(key);
    if (known != null) {
      return known;
    }
    synchronized (SHARED) {
      OrtSession session = SHARED.get(key);
      if (session == null) {
        session = load(OnnxProto.model(node, inputs, output, List.of()));
        SHARED.put(key, session);
      }
      return session;
    }
  }

  private static OrtSession load(byte[] model) throws OrtException {
    try (SessionOptions options = new SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      options.setOptimizationLevel(SessionOptions.OptLevel.NO_OPT);
      return OrtEnvironment.getEnvironment().createSession(model, options);
    }
  }
}
