package io.sealane.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.sealane.core.DataType;
import io.sealane.core.Tensor;
import io.sealane.protocols.inference.InferParameter;
import io.sealane.protocols.inference.ModelInferRequest;
import io.sealane.protocols.inference.ModelInferRequest.InferInputTensor;
import io.sealane.protocols.inference.ModelInferRequest.InferRequestedOutputTensor;
import io.sealane.protocols.inference.ModelInferResponse;
import io.sealane.serving.InferenceResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** V2's inference messages of gRPC, read and written. */
final class V2GrpcMessages {
  private V2GrpcMessages() {}

  /**
   * Reads a request; {@code binary} is whether it came raw, and is then answered so.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static V2Request read(ModelInferRequest request) {
    V2Request.Inputs inputs = new V2Request.Inputs();
    try {
      boolean raw = isRaw(request);
      for (int i = 0; i < request.getInputsCount(); i++) {
        ByteString bytes = raw ? request.getRawInputContents(i) : null;
        InferInputTensor input = request.getInputs(i);
        inputs.add(input.getName(), tensor(input, bytes));
      }
      return new V2Request(
          request.getId(),
          ofRequest(request.getParametersMap()),
          inputs.taken(),
          outputs(request.getOutputsList()),
          raw || request.getInputsCount() == 0);
    } catch (RuntimeException | Error refused) {
      inputs.close();
      throw refused;
    }
  }

  private static boolean isRaw(ModelInferRequest request) {
    int raw = request.getRawInputContentsCount();
    boolean typed = request.getInputsList().stream().anyMatch(InferInputTensor::hasContents);
    if (raw > 0 && (typed || raw != request.getInputsCount())) {
      throw Requests.invalid(
          "raw_input_contents has "
              + raw
              + " entries for "
              + request.getInputsCount()
              + " inputs"
              + (typed ? ", and an input has contents too" : ""));
    }
    return raw > 0;
  }

  private static Tensor tensor(InferInputTensor input, @Nullable ByteString bytes) {
    String name = input.getName();
    if (input.containsParameters("shared_memory_region")) {
      throw Requests.unsupported("shared memory is not offered");
    }
    DataType dtype = Requests.dtype(input.getDatatype(), name);
    long[] dims = new long[input.getShapeCount()];
    for (int axis = 0; axis < dims.length; axis++) {
      dims[axis] = input.getShape(axis);
    }
    return bytes == null
        ? GrpcTensors.read(name, dtype, dims, input.getContents())
        : RawTensors.read(name, dtype, dims, bytes.asReadOnlyByteBuffer());
  }

  private static List<V2Request.Output> outputs(List<InferRequestedOutputTensor> asked) {
    List<V2Request.Output> outputs = new ArrayList<>();
    for (InferRequestedOutputTensor each : asked) {
      if (outputs.stream().anyMatch(other -> other.name().equals(each.getName()))) {
        throw Requests.invalid("output '" + each.getName() + "' is asked for twice");
      }
      if (each.containsParameters("shared_memory_region")) {
        throw Requests.unsupported("shared memory is not offered");
      }
      Object classes = parameters(each.getParametersMap()).getOrDefault("classification", 0L);
      if (!(classes instanceof Long count) || count < 0 || count > Integer.MAX_VALUE) {
        throw Requests.invalid("classification must be a number of classes");
      }
      outputs.add(new V2Request.Output(each.getName(), null, count.intValue()));
    }
    return outputs;
  }

  /** One parameter is of streams whose requests have several answers, and says nothing here. */
  private static Map<String, Object> ofRequest(Map<String, InferParameter> given) {
    Map<String, Object> parameters = parameters(given);
    parameters.remove("triton_enable_empty_final_response");
    return parameters;
  }

  private static Map<String, Object> parameters(Map<String, InferParameter> given) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    given.forEach(
        (name, each) -> {
          switch (each.getParameterChoiceCase()) {
            case BOOL_PARAM -> parameters.put(name, each.getBoolParam());
            case INT64_PARAM -> parameters.put(name, each.getInt64Param());
            case STRING_PARAM -> parameters.put(name, each.getStringParam());
            case DOUBLE_PARAM -> parameters.put(name, each.getDoubleParam());
            case UINT64_PARAM -> parameters.put(name, each.getUint64Param());
            case PARAMETERCHOICE_NOT_SET -> {
              // An empty parameter says nothing.
            }
          }
        });
    return parameters;
  }

  /** Writes an answer, raw or typed as the request was; the response stays the caller's. */
  static ModelInferResponse write(V2Request request, InferenceResponse response) {
    ModelInferResponse.Builder answer =
        ModelInferResponse.newBuilder()
            .setModelName(response.model())
            .setModelVersion(response.version())
            .setId(request.id());
    try (InferenceResponse shown = V2Answer.shown(request, response)) {
      boolean raw =
          request.binary()
              || shown.outputs().values().stream()
                  .anyMatch(each -> GrpcTensors.isRawOnly(each.dtype()));
      shown.outputs().forEach((name, tensor) -> add(answer, name, tensor, raw));
      return answer.build();
    }
  }

  private static void add(
      ModelInferResponse.Builder answer, String name, Tensor tensor, boolean raw) {
    ModelInferResponse.InferOutputTensor.Builder output =
        answer.addOutputsBuilder().setName(name).setDatatype(tensor.dtype().name());
    for (long dim : tensor.shape().dims()) {
      output.addShape(dim);
    }
    if (raw) {
      answer.addRawOutputContents(UnsafeByteOperations.unsafeWrap(RawTensors.bytes(tensor)));
    } else {
      output.setContents(GrpcTensors.contents(tensor));
    }
  }
}
