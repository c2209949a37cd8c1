package io.sealane.server;

import com.google.protobuf.Any;
import com.google.protobuf.Int64Value;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.stub.StreamObserver;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.protocols.serving.ClassificationRequest;
import io.sealane.protocols.serving.ClassificationResponse;
import io.sealane.protocols.serving.GetModelMetadataRequest;
import io.sealane.protocols.serving.GetModelMetadataResponse;
import io.sealane.protocols.serving.InferenceResult;
import io.sealane.protocols.serving.Input;
import io.sealane.protocols.serving.ModelSpec;
import io.sealane.protocols.serving.MultiInferenceRequest;
import io.sealane.protocols.serving.MultiInferenceResponse;
import io.sealane.protocols.serving.PredictRequest;
import io.sealane.protocols.serving.PredictResponse;
import io.sealane.protocols.serving.PredictionServiceGrpc.PredictionServiceImplBase;
import io.sealane.protocols.serving.RegressionRequest;
import io.sealane.protocols.serving.RegressionResponse;
import io.sealane.protocols.serving.SignatureDefMap;
import io.sealane.protocols.tensorflow.SignatureDef;
import io.sealane.protocols.tensorflow.TensorInfo;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.VersionPolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** TensorFlow Serving's prediction service. Versions are numbers, as in {@link V1Rest}. */
final class ServingGrpc extends PredictionServiceImplBase {
  private final DataPlane plane;

  ServingGrpc(DataPlane plane) {
    this.plane = plane;
  }

  /** The version that a spec names. */
  static ServedVersion served(DataPlane plane, ModelSpec spec) {
    return served(plane.repository().model(spec.getName()), spec);
  }

  private static ServedVersion served(ServedModel model, ModelSpec spec) {
    return switch (spec.getVersionChoiceCase()) {
      case VERSION_LABEL -> model.labelled(spec.getVersionLabel());
      case VERSION -> V1Rest.numbered(model, Long.toString(spec.getVersion().getValue()));
      case VERSIONCHOICE_NOT_SET -> model.version(null);
    };
  }

  private static ModelSpec spec(String model, String version) {
    return ModelSpec.newBuilder()
        .setName(model)
        .setVersion(Int64Value.of(VersionPolicy.number(version)))
        .setSignatureName("serving_default")
        .build();
  }

  @Override
  public void predict(PredictRequest request, StreamObserver<PredictResponse> observer) {
    GrpcAnswers.later(observer, predict(request));
  }

  private CompletableFuture<PredictResponse> predict(PredictRequest request) {
    try {
      ModelSpec spec = request.getModelSpec();
      V1Request.requireSignature(spec.getSignatureName());
      return infer(
          spec,
          model -> served(model, spec),
          inputs(request),
          request.getOutputFilterList(),
          ServingGrpc::answer);
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private <T> CompletableFuture<T> infer(
      ModelSpec spec,
      Function<ServedModel, ServedVersion> choice,
      Map<String, Tensor> inputs,
      List<String> outputs,
      Function<InferenceResponse, T> write) {
    long millis = ServiceRequestContext.current().requestTimeoutMillis();
    Long deadline = Requests.deadline(millis * 1_000_000);
    InferenceRequest asked =
        new InferenceRequest(spec.getName(), null, inputs, outputs, deadline, 0);
    return GrpcAnswers.written(plane.infer(asked, choice), write);
  }

  @Override
  public void classify(
      ClassificationRequest request, StreamObserver<ClassificationResponse> observer) {
    ServingTask task = new ServingTask(request.getModelSpec(), ServingTask.CLASSIFY);
    GrpcAnswers.later(
        observer,
        run(
            List.of(task),
            request.getInput(),
            results ->
                ClassificationResponse.newBuilder()
                    .setModelSpec(results.get(0).getModelSpec())
                    .setResult(results.get(0).getClassificationResult())
                    .build()));
  }

  @Override
  public void regress(RegressionRequest request, StreamObserver<RegressionResponse> observer) {
    ServingTask task = new ServingTask(request.getModelSpec(), ServingTask.REGRESS);
    GrpcAnswers.later(
        observer,
        run(
            List.of(task),
            request.getInput(),
            results ->
                RegressionResponse.newBuilder()
                    .setModelSpec(results.get(0).getModelSpec())
                    .setResult(results.get(0).getRegressionResult())
                    .build()));
  }

  @Override
  public void multiInference(
      MultiInferenceRequest request, StreamObserver<MultiInferenceResponse> observer) {
    List<ServingTask> tasks = request.getTasksList().stream().map(ServingTask::of).toList();
    GrpcAnswers.later(
        observer,
        run(
            tasks,
            request.getInput(),
            results -> MultiInferenceResponse.newBuilder().addAllResults(results).build()));
  }

  /** Runs the model once for all tasks. */
  private <T> CompletableFuture<T> run(
      List<ServingTask> tasks, Input input, Function<List<InferenceResult>, T> write) {
    try {
      ModelSpec spec = ServingTask.common(tasks);
      ServedVersion read = served(plane.routed(spec.getName()), spec);
      Signature signature = read.session().signature();
      List<ServingTask.Reading> readings =
          tasks.stream().map(task -> task.reading(signature)).toList();
      List<String> outputs =
          readings.stream().flatMap(each -> each.outputs().stream()).distinct().toList();
      int examples = Examples.count(input);
      return infer(
          spec,
          V1Rest.like(read, model -> served(model, spec)),
          Examples.of(signature, input),
          outputs,
          response -> {
            ModelSpec answered = spec(response.model(), response.version());
            return write.apply(
                readings.stream()
                    .map(each -> each.result(response.outputs(), examples))
                    .map(each -> each.setModelSpec(answered).build())
                    .toList());
          });
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  /**
   * The tensors of a request.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID
   */
  static Map<String, Tensor> inputs(PredictRequest request) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    try {
      request
          .getInputsMap()
          .forEach((name, proto) -> inputs.put(name, TensorProtos.read(name, proto)));
      return inputs;
    } catch (RuntimeException | Error refused) {
      inputs.values().forEach(Tensor::close);
      throw refused;
    }
  }

  private static PredictResponse answer(InferenceResponse response) {
    PredictResponse.Builder answer =
        PredictResponse.newBuilder().setModelSpec(spec(response.model(), response.version()));
    response
        .outputs()
        .forEach((name, tensor) -> answer.putOutputs(name, TensorProtos.write(tensor)));
    return answer.build();
  }

  @Override
  public void getModelMetadata(
      GetModelMetadataRequest request, StreamObserver<GetModelMetadataResponse> observer) {
    GrpcAnswers.now(observer, () -> metadata(request));
  }

  private GetModelMetadataResponse metadata(GetModelMetadataRequest request) {
    if (!request.getMetadataFieldList().contains("signature_def")) {
      throw Requests.invalid("the one metadata_field is signature_def");
    }
    ServedVersion version = served(plane, request.getModelSpec());
    SignatureDef.Builder signature =
        SignatureDef.newBuilder().setMethodName("tensorflow/serving/predict");
    version
        .session()
        .signature()
        .inputs()
        .forEach(each -> signature.putInputs(each.name(), info(each)));
    version
        .session()
        .signature()
        .outputs()
        .forEach(each -> signature.putOutputs(each.name(), info(each)));
    SignatureDefMap map =
        SignatureDefMap.newBuilder().putSignatureDef("serving_default", signature.build()).build();
    return GetModelMetadataResponse.newBuilder()
        .setModelSpec(spec(version.model(), version.version()))
        .putMetadata("signature_def", Any.pack(map))
        .build();
  }

  private static TensorInfo info(TensorSpec spec) {
    return TensorInfo.newBuilder()
        .setName(spec.name() + ":0")
        .setDtype(TensorProtos.type(spec.dtype()))
        .setTensorShape(TensorProtos.shape(spec))
        .build();
  }
}
