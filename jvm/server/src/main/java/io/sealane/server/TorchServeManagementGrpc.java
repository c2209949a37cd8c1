package io.sealane.server;

import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.sealane.protocols.torchserve.management.DescribeModelRequest;
import io.sealane.protocols.torchserve.management.ListModelsRequest;
import io.sealane.protocols.torchserve.management.ManagementAPIsServiceGrpc.ManagementAPIsServiceImplBase;
import io.sealane.protocols.torchserve.management.ManagementResponse;
import io.sealane.protocols.torchserve.management.RegisterModelRequest;
import io.sealane.protocols.torchserve.management.ScaleWorkerRequest;
import io.sealane.protocols.torchserve.management.SetDefaultRequest;
import io.sealane.protocols.torchserve.management.UnregisterModelRequest;
import io.sealane.server.TorchServeModels.Outcome;
import io.sealane.serving.ModelRepository;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** TorchServe's management API over gRPC. What a message leaves at 0 or empty is not given. */
final class TorchServeManagementGrpc extends ManagementAPIsServiceImplBase {
  private final TorchServeModels models;

  TorchServeManagementGrpc(ModelRepository repository) {
    this.models = new TorchServeModels(repository);
  }

  @Override
  public void describeModel(
      DescribeModelRequest request, StreamObserver<ManagementResponse> observer) {
    String version = version(request.getModelVersion());
    Map<String, String> parameters =
        Map.of("customized", Boolean.toString(request.getCustomized()));
    answer(observer, () -> text(models.describe(request.getModelName(), version, parameters)));
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ManagementResponse> observer) {
    Map<String, String> parameters = new HashMap<>();
    given(parameters, "limit", request.getLimit());
    given(parameters, "next_page_token", request.getNextPageToken());
    answer(observer, () -> text(models.list(parameters)));
  }

  @Override
  public void registerModel(
      RegisterModelRequest request, StreamObserver<ManagementResponse> observer) {
    Map<String, String> parameters = new HashMap<>();
    given(parameters, "batch_size", request.getBatchSize());
    given(parameters, "initial_workers", request.getInitialWorkers());
    given(parameters, "max_batch_delay", request.getMaxBatchDelay());
    given(parameters, "response_timeout", request.getResponseTimeout());
    given(parameters, "startup_timeout", request.getStartupTimeout());
    given(parameters, "handler", request.getHandler());
    given(parameters, "model_name", request.getModelName());
    given(parameters, "url", request.getUrl());
    parameters.put("synchronous", Boolean.toString(request.getSynchronous()));
    parameters.put("s3_sse_kms", Boolean.toString(request.getS3SseKms()));
    answer(observer, () -> done(models.register(parameters)));
  }

  @Override
  public void scaleWorker(ScaleWorkerRequest request, StreamObserver<ManagementResponse> observer) {
    Map<String, String> parameters = new HashMap<>();
    given(parameters, "min_worker", request.getMinWorker());
    given(parameters, "max_worker", request.getMaxWorker());
    given(parameters, "number_gpu", request.getNumberGpu());
    parameters.put("synchronous", Boolean.toString(request.getSynchronous()));
    String version = version(request.getModelVersion());
    answer(observer, () -> done(models.scale(request.getModelName(), version, parameters)));
  }

  @Override
  public void setDefault(SetDefaultRequest request, StreamObserver<ManagementResponse> observer) {
    answer(
        observer, () -> done(models.setDefault(request.getModelName(), request.getModelVersion())));
  }

  @Override
  public void unregisterModel(
      UnregisterModelRequest request, StreamObserver<ManagementResponse> observer) {
    String version = version(request.getModelVersion());
    answer(observer, () -> done(models.unregister(request.getModelName(), version)));
  }

  private static @Nullable String version(String version) {
    return version.isEmpty() ? null : version;
  }

  private static void given(Map<String, String> parameters, String name, int value) {
    if (value != 0) {
      parameters.put(name, Integer.toString(value));
    }
  }

  private static void given(Map<String, String> parameters, String name, String value) {
    if (!value.isEmpty()) {
      parameters.put(name, value);
    }
  }

  private static String text(Json.Body body) {
    return new String(Json.bytes(body), StandardCharsets.UTF_8);
  }

  private static String done(Outcome outcome) {
    if (outcome.isDone()) {
      return outcome.message();
    }
    Status status =
        outcome.status().equals(HttpStatus.CONFLICT)
            ? Status.ALREADY_EXISTS
            : Status.FAILED_PRECONDITION;
    throw status.withDescription(outcome.message()).asRuntimeException();
  }

  /** Changes take their time, so they have a thread that may wait. */
  private static void answer(
      StreamObserver<ManagementResponse> observer, Supplier<String> message) {
    ServiceRequestContext.current()
        .blockingTaskExecutor()
        .execute(
            () ->
                GrpcAnswers.now(
                    observer, () -> ManagementResponse.newBuilder().setMsg(message.get()).build()));
  }
}
