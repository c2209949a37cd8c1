package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.protocols.serving.ClassificationResult;
import io.sealane.protocols.serving.Classifications;
import io.sealane.protocols.serving.RegressionResult;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Which outputs of a model classify and regress answer with, and what they make of them. */
final class ExampleResults {
  private ExampleResults() {}

  /**
   * Scores of classes.
   *
   * @param scores FP32, {@code [batch, classes]}
   * @param labels BYTES of the same shape, or null where the label of a class is its index
   */
  record Classify(String scores, @Nullable String labels) {
    /**
     * The scores and labels of a model.
     *
     * @throws io.sealane.core.SealaneException REQUEST_INVALID when it has none, or several
     */
    static Classify of(Signature signature) {
      String scores =
          only(signature, "classified", "scores", "[batch, classes]", spec -> rank(spec) == 2);
      boolean labelled =
          signature.outputs().stream()
              .anyMatch(
                  spec ->
                      spec.name().equals("classes")
                          && spec.dtype() == DataType.BYTES
                          && rank(spec) == 2);
      return new Classify(scores, labelled ? "classes" : null);
    }

    List<String> outputs() {
      return Stream.of(scores, labels).filter(each -> each != null).map(String::valueOf).toList();
    }

    ClassificationResult result(Map<String, Tensor> outputs, int examples) {
      Tensor tensor = answered(outputs, scores, examples);
      int classes = (int) tensor.shape().dim(1);
      @Nullable String @Nullable [] texts = null;
      if (labels != null) {
        Tensor labelled = answered(outputs, labels, examples);
        if (!labelled.shape().equals(tensor.shape())) {
          throw Requests.invalid("outputs '" + scores + "' and '" + labels + "' differ in shape");
        }
        texts = labelled.strings();
      }
      float[] values = tensor.floats();
      ClassificationResult.Builder result = ClassificationResult.newBuilder();
      for (int row = 0; row < examples; row++) {
        Classifications.Builder one = result.addClassificationsBuilder();
        for (int i = 0; i < classes; i++) {
          int at = row * classes + i;
          String label = texts == null ? Integer.toString(i) : texts[at];
          one.addClassesBuilder().setLabel(label == null ? "" : label).setScore(values[at]);
        }
      }
      return result.build();
    }
  }

  /**
   * One value per example.
   *
   * @param value FP32, {@code [batch]} or {@code [batch, 1]}
   */
  record Regress(String value) {
    /**
     * The value of a model.
     *
     * @throws io.sealane.core.SealaneException REQUEST_INVALID when it has none, or several
     */
    static Regress of(Signature signature) {
      Predicate<TensorSpec> one =
          spec -> rank(spec) == 1 || (rank(spec) == 2 && spec.dims().get(1).size() == 1);
      return new Regress(only(signature, "regressed", "outputs", "[batch] or [batch, 1]", one));
    }

    RegressionResult result(Map<String, Tensor> outputs, int examples) {
      RegressionResult.Builder result = RegressionResult.newBuilder();
      for (float each : answered(outputs, value, examples).floats()) {
        result.addRegressionsBuilder().setValue(each);
      }
      return result.build();
    }
  }

  private static int rank(TensorSpec spec) {
    return spec.dims().size();
  }

  /** The one FP32 output of that shape; of several, the one that TensorFlow Serving names so. */
  private static String only(
      Signature signature,
      String what,
      String preferred,
      String shape,
      Predicate<TensorSpec> fits) {
    List<String> fitting =
        signature.outputs().stream()
            .filter(spec -> spec.dtype() == DataType.FP32 && fits.test(spec))
            .map(TensorSpec::name)
            .toList();
    if (fitting.size() == 1) {
      return fitting.get(0);
    }
    if (fitting.contains(preferred)) {
      return preferred;
    }
    throw Requests.invalid(
        "the model can not be "
            + what
            + ": that needs one output FP32 "
            + shape
            + ", or one of several that is called '"
            + preferred
            + "'; it has "
            + signature.outputs());
  }

  private static Tensor answered(Map<String, Tensor> outputs, String name, int examples) {
    Tensor tensor = outputs.get(name);
    if (tensor == null || tensor.shape().dim(0) != examples) {
      throw Requests.invalid(
          "output '" + name + "' is " + tensor + " for " + examples + " examples");
    }
    return tensor;
  }
}
