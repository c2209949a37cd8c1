package io.sealane.bundle;

import static io.sealane.bundle.Dl4jZip.INVALID;

import io.sealane.core.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a MultiLayerNetwork or a ComputationGraph as one list of steps.
 *
 * @param inputs names of the network's inputs
 * @param steps layers and vertices in the order of their parameters
 * @param outputs names of the steps whose values are the network's outputs
 */
record Dl4jConfiguration(List<String> inputs, List<Step> steps, List<String> outputs) {
  /** What the input of a MultiLayerNetwork is called, which has no name of its own. */
  static final String INPUT = "input";

  private static final int MAX_STEPS = 10_000;

  /**
   * A layer or a vertex.
   *
   * @param name unique
   * @param type the last part of its class name, such as {@code DenseLayer}
   * @param settings its members
   * @param inputs names of inputs and earlier steps
   * @param preprocessor what its one input goes through first
   */
  record Step(
      String name,
      String type,
      Members settings,
      List<String> inputs,
      @Nullable Members preprocessor) {}

  static Dl4jConfiguration parse(@Nullable Object json) {
    Members top = Members.of(json, "configuration.json", INVALID);
    String dtype = top.has("dataType") ? top.string("dataType") : "FLOAT";
    if (!dtype.equals("FLOAT")) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSUPPORTED, "the network computes in " + dtype + ", not in FLOAT");
    }
    return top.has("confs") ? layers(top) : graph(top);
  }

  private static Dl4jConfiguration layers(Members top) {
    List<Members> confs = top.objects("confs");
    check(confs.size());
    Map<String, @Nullable Object> preprocessors = top.freeObject("inputPreProcessors");
    List<Step> steps = new ArrayList<>();
    String before = INPUT;
    for (int i = 0; i < confs.size(); i++) {
      Members layer = confs.get(i).object("layer");
      String name = layer.nullableString("layerName");
      Object preprocessor = preprocessors.get(Integer.toString(i));
      String own = name == null ? "layer" + i : name;
      steps.add(step(own, layer, List.of(before), preprocessor));
      before = own;
    }
    return new Dl4jConfiguration(List.of(INPUT), steps, List.of(before));
  }

  private static Dl4jConfiguration graph(Members top) {
    Members vertices = top.object("vertices");
    Members inputs = top.object("vertexInputs");
    List<String> networkInputs = top.strings("networkInputs");
    List<String> order = top.strings("topologicalOrderStr");
    check(order.size());
    List<Step> steps = new ArrayList<>();
    for (String name : order) {
      if (networkInputs.contains(name)) {
        continue;
      }
      Members vertex = vertices.object(name);
      List<String> from = inputs.strings(name);
      if (type(vertex).equals("LayerVertex")) {
        Members layer = vertex.object("layerConf").object("layer");
        steps.add(step(name, layer, from, vertex.value("preProcessor")));
      } else {
        steps.add(new Step(name, type(vertex), vertex, from, null));
      }
    }
    if (steps.size() != vertices.names().size()) {
      throw top.refusal("topologicalOrderStr", "it does not name each vertex once");
    }
    return new Dl4jConfiguration(networkInputs, steps, top.strings("networkOutputs"));
  }

  private static void check(int size) {
    if (size == 0 || size > MAX_STEPS) {
      throw new Refusal(
          size == 0 ? INVALID : ErrorCode.LIMIT_EXCEEDED,
          "expected 1 to " + MAX_STEPS + " layers, received " + size);
    }
  }

  private static Step step(
      String name, Members layer, List<String> inputs, @Nullable Object preprocessor) {
    return new Step(
        name,
        type(layer),
        layer,
        inputs,
        preprocessor == null
            ? null
            : Members.of(preprocessor, "preprocessor of '" + name + "'", INVALID));
  }

  /** The last part of the class name, which is only compared, never loaded. */
  static String type(Members object) {
    String type = object.string("@class");
    if (!type.startsWith("org.deeplearning4j.nn.conf.") && !type.startsWith("org.nd4j.linalg.")) {
      throw new Refusal(
          ErrorCode.ARTIFACT_UNSUPPORTED, "the class " + type + " is not one of Deeplearning4j's");
    }
    return type.substring(type.lastIndexOf('.') + 1);
  }
}
