package io.sealane.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.stub.StreamObserver;
import io.sealane.protocols.torchserve.inference.InferenceAPIsServiceGrpc.InferenceAPIsServiceImplBase;
import io.sealane.protocols.torchserve.inference.PredictionResponse;
import io.sealane.protocols.torchserve.inference.PredictionsRequest;
import io.sealane.protocols.torchserve.inference.TorchServeHealthResponse;
import io.sealane.server.TorchServeRequest.Field;
import io.sealane.serving.DataPlane;
import io.sealane.serving.ServedVersion;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** TorchServe's inference over gRPC: what is put in as a form's fields is answered as JSON. */
final class TorchServeGrpc extends InferenceAPIsServiceImplBase {
  private final DataPlane plane;
  private final Supplier<Boolean> ready;

  TorchServeGrpc(DataPlane plane, Supplier<Boolean> ready) {
    this.plane = plane;
    this.ready = ready;
  }

  @Override
  public void ping(Empty request, StreamObserver<TorchServeHealthResponse> observer) {
    GrpcAnswers.now(
        observer,
        () -> {
          String health = TorchServeRest.health(ready.get());
          byte[] body = Json.bytes(json -> TorchServeDescriptions.status(json, health));
          return TorchServeHealthResponse.newBuilder()
              .setHealth(new String(body, StandardCharsets.UTF_8))
              .build();
        });
  }

  @Override
  public void predictions(PredictionsRequest request, StreamObserver<PredictionResponse> observer) {
    GrpcAnswers.later(observer, predict(request));
  }

  /** A stream of one: no model answers bit by bit. */
  @Override
  public void streamPredictions(
      PredictionsRequest request, StreamObserver<PredictionResponse> observer) {
    GrpcAnswers.later(observer, predict(request));
  }

  private CompletableFuture<PredictionResponse> predict(PredictionsRequest message) {
    try {
      String model = message.getModelName();
      String named = message.getModelVersion();
      ServedVersion read = plane.routed(model).version(named);
      List<Field> fields =
          message.getInputMap().entrySet().stream()
              .map(each -> new Field(each.getKey(), null, each.getValue().asReadOnlyByteBuffer()))
              .toList();
      long millis = ServiceRequestContext.current().requestTimeoutMillis();
      TorchServeRequest request = TorchServeRequest.of(read, fields);
      return GrpcAnswers.written(
          TorchServeRest.infer(plane, read, named, request, millis * 1_000_000),
          response ->
              PredictionResponse.newBuilder()
                  .setPrediction(ByteString.copyFrom(request.print(response.outputs())))
                  .build());
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }
}
