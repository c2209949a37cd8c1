package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.serving.ServedVersion;
import java.util.List;
import java.util.stream.Stream;

/** What V2 and its extensions tell of a model, before it is JSON or protobuf. */
final class V2Models {
  /** The extensions that the server has, as it announces them. */
  static final List<String> EXTENSIONS =
      List.of(
          "binary_tensor_data",
          "classification",
          "model_configuration",
          "model_repository",
          "parameters",
          "schedule_policy",
          "statistics");

  /** The version of this jar. */
  static final String VERSION = version();

  private V2Models() {}

  private static String version() {
    String version = V2Models.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** Sizes of the dims, -1 for symbols. */
  static List<Long> shape(TensorSpec spec) {
    return spec.dims().stream().map(Dim::size).toList();
  }

  /** As {@link #shape}, without the batch dim where the configuration has one. */
  static List<Long> configuredShape(ServedVersion version, TensorSpec spec) {
    List<Long> shape = shape(spec);
    return maxBatchSize(version) == 0 ? shape : shape.subList(1, shape.size());
  }

  /**
   * The most rows of a request in Triton's configuration, or 0 for no batch dim. It has none where
   * the rows of a tensor are one value, for dims must not be empty there; clients fail on them.
   */
  static int maxBatchSize(ServedVersion version) {
    Signature signature = version.session().signature();
    boolean values =
        Stream.concat(signature.inputs().stream(), signature.outputs().stream())
            .anyMatch(spec -> spec.dims().size() < 2);
    return values ? 0 : (int) Math.min(version.maxRows(), Integer.MAX_VALUE);
  }

  static String platform(ServedVersion version) {
    return switch (version.session().variant().kind()) {
      case "onnx" -> "onnxruntime_onnx";
      case "savedmodel" -> "tensorflow_savedmodel";
      default -> version.session().variant().kind();
    };
  }

  /** A datatype as Triton's configuration has it. */
  static String configuredType(DataType dtype) {
    return dtype == DataType.BYTES ? "TYPE_STRING" : "TYPE_" + dtype;
  }
}
