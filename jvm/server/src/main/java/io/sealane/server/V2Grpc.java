package io.sealane.server;

import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sealane.core.SealaneException;
import io.sealane.protocols.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import io.sealane.protocols.inference.ModelConfigRequest;
import io.sealane.protocols.inference.ModelConfigResponse;
import io.sealane.protocols.inference.ModelInferRequest;
import io.sealane.protocols.inference.ModelInferResponse;
import io.sealane.protocols.inference.ModelMetadataRequest;
import io.sealane.protocols.inference.ModelMetadataResponse;
import io.sealane.protocols.inference.ModelReadyRequest;
import io.sealane.protocols.inference.ModelReadyResponse;
import io.sealane.protocols.inference.ModelStatisticsRequest;
import io.sealane.protocols.inference.ModelStatisticsResponse;
import io.sealane.protocols.inference.ModelStreamInferResponse;
import io.sealane.protocols.inference.RepositoryIndexRequest;
import io.sealane.protocols.inference.RepositoryIndexResponse;
import io.sealane.protocols.inference.RepositoryModelLoadRequest;
import io.sealane.protocols.inference.RepositoryModelLoadResponse;
import io.sealane.protocols.inference.RepositoryModelUnloadRequest;
import io.sealane.protocols.inference.RepositoryModelUnloadResponse;
import io.sealane.protocols.inference.ServerLiveRequest;
import io.sealane.protocols.inference.ServerLiveResponse;
import io.sealane.protocols.inference.ServerMetadataRequest;
import io.sealane.protocols.inference.ServerMetadataResponse;
import io.sealane.protocols.inference.ServerReadyRequest;
import io.sealane.protocols.inference.ServerReadyResponse;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.ServedModel;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The Open Inference Protocol V2 over gRPC, with Triton's calls. */
final class V2Grpc extends GRPCInferenceServiceImplBase {
  private final DataPlane plane;
  private final Supplier<Boolean> ready;
  private final boolean changes;
  private final Drain drain;

  /**
   * The service.
   *
   * @param ready whether the server takes requests
   * @param changes whether models may be loaded and unloaded here
   * @param drain told of each message of a stream
   */
  V2Grpc(DataPlane plane, Supplier<Boolean> ready, boolean changes, Drain drain) {
    this.plane = plane;
    this.ready = ready;
    this.changes = changes;
    this.drain = drain;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> observer) {
    GrpcAnswers.now(observer, () -> ServerLiveResponse.newBuilder().setLive(true).build());
  }

  @Override
  public void serverReady(
      ServerReadyRequest request, StreamObserver<ServerReadyResponse> observer) {
    GrpcAnswers.now(observer, () -> ServerReadyResponse.newBuilder().setReady(ready.get()).build());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> observer) {
    boolean found;
    try {
      plane.repository().model(request.getName()).version(request.getVersion());
      found = true;
    } catch (SealaneException absent) {
      found = false;
    }
    boolean ready = found;
    GrpcAnswers.now(observer, () -> ModelReadyResponse.newBuilder().setReady(ready).build());
  }

  @Override
  public void serverMetadata(
      ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> observer) {
    GrpcAnswers.now(
        observer,
        () ->
            ServerMetadataResponse.newBuilder()
                .setName("sealane")
                .setVersion(V2Models.VERSION)
                .addAllExtensions(V2Models.EXTENSIONS)
                .build());
  }

  @Override
  public void modelMetadata(
      ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> observer) {
    GrpcAnswers.now(
        observer,
        () -> {
          ServedModel model = plane.repository().model(request.getName());
          return V2GrpcDescriptions.metadata(model, model.version(request.getVersion()));
        });
  }

  @Override
  public void modelConfig(
      ModelConfigRequest request, StreamObserver<ModelConfigResponse> observer) {
    GrpcAnswers.now(
        observer,
        () ->
            ModelConfigResponse.newBuilder()
                .setConfig(
                    V2GrpcDescriptions.configuration(
                        plane.repository().model(request.getName()).version(request.getVersion())))
                .build());
  }

  @Override
  public void modelStatistics(
      ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> observer) {
    GrpcAnswers.now(
        observer,
        () ->
            V2GrpcDescriptions.statistics(
                V2Rest.versions(plane, request.getName(), request.getVersion())));
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> observer) {
    long millis = ServiceRequestContext.current().requestTimeoutMillis();
    GrpcAnswers.later(observer, infer(request, millis));
  }

  private CompletableFuture<ModelInferResponse> infer(ModelInferRequest message, long millis) {
    try {
      V2Request request = V2GrpcMessages.read(message);
      InferenceRequest asked =
          Requests.of(
              message.getModelName(), message.getModelVersion(), request, millis * 1_000_000);
      return GrpcAnswers.written(
          plane.infer(asked), response -> V2GrpcMessages.write(request, response));
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  @Override
  public StreamObserver<ModelInferRequest> modelStreamInfer(
      StreamObserver<ModelStreamInferResponse> observer) {
    ServiceRequestContext context = ServiceRequestContext.current();
    // A stream has no end of its own: each message is limited instead.
    context.clearRequestTimeout();
    context.setMaxRequestLength(0);
    boolean asStatus = "true".equals(context.request().headers().get("triton_grpc_error"));
    V2GrpcStream stream =
        new V2GrpcStream(
            request -> infer(request, 0), observer, asStatus, context.eventLoop(), drain);
    ((ServerCallStreamObserver<ModelStreamInferResponse>) observer)
        .setOnCancelHandler(stream::cancel);
    drain.opened(stream, context.log().whenComplete());
    return stream;
  }

  @Override
  public void repositoryIndex(
      RepositoryIndexRequest request, StreamObserver<RepositoryIndexResponse> observer) {
    GrpcAnswers.now(
        observer,
        () -> {
          requireNone(request.getRepositoryName());
          return V2GrpcDescriptions.index(
              V2RepositoryRest.index(plane.repository(), request.getReady()));
        });
  }

  @Override
  public void repositoryModelLoad(
      RepositoryModelLoadRequest request, StreamObserver<RepositoryModelLoadResponse> observer) {
    GrpcAnswers.change(
        observer,
        changes,
        () -> {
          requireNone(request.getRepositoryName());
          if (request.getParametersCount() > 0) {
            throw Requests.unsupported(
                "a model is loaded as it lies in the repository, without overrides");
          }
          plane.repository().load(request.getModelName());
          return RepositoryModelLoadResponse.getDefaultInstance();
        });
  }

  @Override
  public void repositoryModelUnload(
      RepositoryModelUnloadRequest request,
      StreamObserver<RepositoryModelUnloadResponse> observer) {
    GrpcAnswers.change(
        observer,
        changes,
        () -> {
          requireNone(request.getRepositoryName());
          plane.repository().unload(request.getModelName());
          return RepositoryModelUnloadResponse.getDefaultInstance();
        });
  }

  private static void requireNone(String repository) {
    if (!repository.isEmpty()) {
      throw Requests.unsupported("the server has one repository, which has no name");
    }
  }
}
