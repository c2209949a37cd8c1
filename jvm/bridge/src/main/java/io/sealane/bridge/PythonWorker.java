package io.sealane.bridge;

/**
 * What a Python process does for Java, over Py4J. Implemented in Python by {@code
 * sealane.api.worker} behind {@code sealane.jvm.gateway}; {@link PythonProcess} gives it types.
 *
 * <p>Every request is 32 hexadecimal digits drawn for this call, then a JSON object. Every answer
 * is its proof, 64 hexadecimal digits, then a JSON object. Both sides know a secret: the proof is
 * HMAC-SHA256 with the secret over {@code METHOD LF request LF object}, and the token that Py4J
 * asks for on each connection is HMAC-SHA256 with the secret over {@code token}. So the secret
 * itself never travels here, and who listens on a dead worker's port can not answer for it.
 */
public interface PythonWorker {
  /**
   * Exports a model.
   *
   * @param request {@code {"model", "example"?, "name", "path", "version", "formats", "overwrite"}}
   * @return {@code {"path", "contentId", "metrics"}}, or {@code {"error": {"code", "message"}}}
   */
  String export(String request);

  /**
   * Trains a model, then exports it.
   *
   * @param request {@code {"function", "parameters", "name", "path", "version", "formats",
   *     "overwrite"}}
   * @return as {@link #export}
   */
  String train(String request);

  /**
   * Tells the worker's versions.
   *
   * @param request {@code {}}
   * @return {@code {"sealane", "python"}}
   */
  String describe(String request);
}
