package io.sealane.server;

import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.protocols.serving.InferenceResult;
import io.sealane.protocols.serving.InferenceTask;
import io.sealane.protocols.serving.ModelSpec;
import io.sealane.server.ExampleResults.Classify;
import io.sealane.server.ExampleResults.Regress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Something to be read out of one run over examples, over gRPC.
 *
 * @param spec the model that is asked
 * @param method how TensorFlow Serving calls classify or regress
 */
record ServingTask(ModelSpec spec, String method) {
  static final String CLASSIFY = "tensorflow/serving/classify";
  static final String REGRESS = "tensorflow/serving/regress";

  static ServingTask of(InferenceTask task) {
    return new ServingTask(task.getModelSpec(), task.getMethodName());
  }

  /** How a task reads the outputs of its model. */
  interface Reading {
    /** Names of the outputs that it needs. */
    List<String> outputs();

    /** A result without its model. */
    InferenceResult.Builder result(Map<String, Tensor> outputs, int examples);
  }

  /**
   * The one model that the tasks ask.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID when there are several, or a task is
   *     there twice
   */
  static ModelSpec common(List<ServingTask> tasks) {
    if (tasks.isEmpty()) {
      throw Requests.invalid("there are no tasks");
    }
    ModelSpec first = tasks.get(0).unsigned();
    Set<String> methods = new HashSet<>();
    for (ServingTask each : tasks) {
      V1Request.requireSignature(each.spec.getSignatureName());
      if (!each.unsigned().equals(first)) {
        throw Requests.invalid("all tasks must ask the same version of the same model");
      }
      if (!methods.add(each.method)) {
        throw Requests.invalid("'" + Requests.quoted(each.method) + "' is there twice");
      }
    }
    return first;
  }

  private ModelSpec unsigned() {
    return spec.toBuilder().clearSignatureName().build();
  }

  /**
   * Chooses outputs.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID when the signature has none that fit,
   *     REQUEST_UNSUPPORTED for another method
   */
  Reading reading(Signature signature) {
    return switch (method) {
      case CLASSIFY -> new Classes(Classify.of(signature));
      case REGRESS -> new Values(Regress.of(signature));
      default ->
          throw Requests.unsupported(
              "method_name must be "
                  + CLASSIFY
                  + " or "
                  + REGRESS
                  + ", received '"
                  + Requests.quoted(method)
                  + "'");
    };
  }

  private record Classes(Classify method) implements Reading {
    @Override
    public List<String> outputs() {
      return method.outputs();
    }

    @Override
    public InferenceResult.Builder result(Map<String, Tensor> outputs, int examples) {
      return InferenceResult.newBuilder().setClassificationResult(method.result(outputs, examples));
    }
  }

  private record Values(Regress method) implements Reading {
    @Override
    public List<String> outputs() {
      return List.of(method.value());
    }

    @Override
    public InferenceResult.Builder result(Map<String, Tensor> outputs, int examples) {
      return InferenceResult.newBuilder().setRegressionResult(method.result(outputs, examples));
    }
  }
}
