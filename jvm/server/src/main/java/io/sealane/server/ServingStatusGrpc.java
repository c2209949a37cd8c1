package io.sealane.server;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.sealane.core.SealaneException;
import io.sealane.protocols.serving.GetModelStatusRequest;
import io.sealane.protocols.serving.GetModelStatusResponse;
import io.sealane.protocols.serving.ModelServiceGrpc.ModelServiceImplBase;
import io.sealane.protocols.serving.ModelSpec;
import io.sealane.protocols.serving.ModelVersionStatus;
import io.sealane.protocols.serving.ReloadConfigRequest;
import io.sealane.protocols.serving.ReloadConfigResponse;
import io.sealane.protocols.serving.StatusProto;
import io.sealane.serving.DataPlane;
import io.sealane.serving.VersionPolicy;
import io.sealane.serving.VersionStatus;
import java.util.List;

/** TensorFlow Serving's model service: how versions fare, and which are served. */
final class ServingStatusGrpc extends ModelServiceImplBase {
  private final DataPlane plane;
  private final boolean changes;

  /**
   * The service.
   *
   * @param changes whether it may be told here which models are served
   */
  ServingStatusGrpc(DataPlane plane, boolean changes) {
    this.plane = plane;
    this.changes = changes;
  }

  @Override
  public void getModelStatus(
      GetModelStatusRequest request, StreamObserver<GetModelStatusResponse> observer) {
    GrpcAnswers.now(observer, () -> status(request.getModelSpec()));
  }

  @Override
  public void handleReloadConfigRequest(
      ReloadConfigRequest request, StreamObserver<ReloadConfigResponse> observer) {
    GrpcAnswers.change(
        observer,
        changes,
        () -> {
          ServingReload.of(plane.repository(), request).run();
          return ReloadConfigResponse.newBuilder()
              .setStatus(StatusProto.getDefaultInstance())
              .build();
        });
  }

  private GetModelStatusResponse status(ModelSpec spec) {
    List<VersionStatus> found =
        plane.repository().index().stream()
            .filter(each -> each.model().equals(spec.getName()))
            .toList();
    boolean one = spec.getVersionChoiceCase() != ModelSpec.VersionChoiceCase.VERSIONCHOICE_NOT_SET;
    try {
      String version = ServingGrpc.served(plane, spec).version();
      found = found.stream().filter(each -> !one || each.version().equals(version)).toList();
    } catch (SealaneException absent) {
      if (found.isEmpty() || one) {
        throw absent;
      }
    }
    GetModelStatusResponse.Builder all = GetModelStatusResponse.newBuilder();
    found.forEach(each -> all.addModelVersionStatus(status(each)));
    return all.build();
  }

  private static ModelVersionStatus status(VersionStatus of) {
    ModelVersionStatus.State state =
        switch (of.state()) {
          case LOADING -> ModelVersionStatus.State.LOADING;
          case READY -> ModelVersionStatus.State.AVAILABLE;
          case UNLOADING -> ModelVersionStatus.State.UNLOADING;
          case UNAVAILABLE -> ModelVersionStatus.State.END;
        };
    boolean fine = of.state() != VersionStatus.State.UNAVAILABLE;
    int code = (fine ? Status.Code.OK : Status.Code.UNAVAILABLE).value();
    return ModelVersionStatus.newBuilder()
        .setVersion(VersionPolicy.number(of.version()))
        .setState(state)
        .setStatus(StatusProto.newBuilder().setErrorCode(code).setErrorMessage(of.reason()))
        .build();
  }
}
