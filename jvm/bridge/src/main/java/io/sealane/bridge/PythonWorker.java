package io.sealane.bridge;

/**
 * What a Python process does for Java. Requests and answers are JSON objects; {@link PythonProcess}
 * gives them types. Implemented in Python by {@code sealane.api.worker}.
 *
 * <p>An answer is {@code {"path", "contentId"}}, or {@code {"error": {"code", "message"}}}.
 */
public interface PythonWorker {
  /**
   * Exports a model.
   *
   * @param request {@code {"model", "example", "name", "path", "version"?, "formats"?,
   *     "overwrite"?}}
   */
  String export(String request);

  /**
   * Trains a model, then exports it.
   *
   * @param request as for {@link #export}, where {@code model} names a function that is called with
   *     {@code parameters}, an object, and returns a model or a pair of model and example inputs
   */
  String train(String request);

  /** The worker's versions: {@code {"sealane", "python"}}. */
  String describe();
}
