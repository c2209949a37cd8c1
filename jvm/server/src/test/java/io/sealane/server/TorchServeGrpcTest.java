package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.linecorp.armeria.client.grpc.GrpcClients;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.sealane.protocols.torchserve.inference.InferenceAPIsServiceGrpc.InferenceAPIsServiceBlockingStub;
import io.sealane.protocols.torchserve.inference.PredictionResponse;
import io.sealane.protocols.torchserve.inference.PredictionsRequest;
import io.sealane.protocols.torchserve.management.DescribeModelRequest;
import io.sealane.protocols.torchserve.management.ListModelsRequest;
import io.sealane.protocols.torchserve.management.ManagementAPIsServiceGrpc.ManagementAPIsServiceBlockingStub;
import io.sealane.protocols.torchserve.management.RegisterModelRequest;
import io.sealane.protocols.torchserve.management.ScaleWorkerRequest;
import io.sealane.protocols.torchserve.management.SetDefaultRequest;
import io.sealane.protocols.torchserve.management.UnregisterModelRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TorchServe's gRPC services, by stubs of their definitions. */
class TorchServeGrpcTest {
  private static final Path MLP = Path.of("../../tests/conformance/bundles/good/mlp");
  private static final String ROW = "[1, 2, 3, 4]";

  @TempDir static Path root;

  private static SealaneServer server;
  private static InferenceAPIsServiceBlockingStub inference;
  private static ManagementAPIsServiceBlockingStub management;

  @BeforeAll
  static void serve() throws Exception {
    try (Stream<Path> tree = Files.walk(MLP)) {
      for (Path each : tree.toList()) {
        Files.copy(each, root.resolve("mlp").resolve(MLP.relativize(each).toString()));
      }
    }
    List<String> flags =
        List.of(
            "--repository",
            root.toString(),
            "--port",
            "0",
            "--management.port",
            "0",
            "--management.token",
            "secret");
    server = SealaneServer.start(ServerConfig.of(Settings.of(flags, Map.of())));
    inference =
        GrpcClients.newClient(
            "gproto+http://127.0.0.1:" + server.port(), InferenceAPIsServiceBlockingStub.class);
    management =
        GrpcClients.builder("gproto+http://127.0.0.1:" + server.managementPort())
            .setHeader("authorization", "Bearer secret")
            .build(ManagementAPIsServiceBlockingStub.class);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static PredictionsRequest request(String name, String value) {
    return PredictionsRequest.newBuilder()
        .setModelName("mlp")
        .putInput(name, ByteString.copyFromUtf8(value))
        .build();
  }

  private static String predict(PredictionsRequest request) {
    return inference.predictions(request).getPrediction().toStringUtf8();
  }

  private static void refused(Status.Code code, String message, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refusal -> {
              assertThat(refusal.getStatus().getCode()).as(refusal.toString()).isEqualTo(code);
              assertThat(refusal.getStatus().getDescription()).contains(message);
            });
  }

  @Test
  void predictionsAreThoseOfRest() {
    assertThat(inference.ping(Empty.getDefaultInstance()).getHealth())
        .isEqualTo("{\"status\":\"Healthy\"}");
    String row = predict(request("data", ROW));
    assertThat(row).matches("\\[(-?[0-9.E-]+,){2}-?[0-9.E-]+]");
    assertThat(predict(request("body", ROW))).isEqualTo(row);
    assertThat(predict(request("features", ROW))).isEqualTo(row);
    assertThat(predict(request("data", "[" + ROW + "]"))).isEqualTo("[" + row + "]");
    assertThat(predict(request("data", ROW).toBuilder().setModelVersion("1.0.0").build()))
        .isEqualTo(row);
    List<String> stream =
        Stream.generate(inference.streamPredictions(request("data", ROW))::next)
            .limit(1)
            .map(PredictionResponse::getPrediction)
            .map(ByteString::toStringUtf8)
            .toList();
    assertThat(stream).containsExactly(row);
  }

  @Test
  void refusalsHaveStatuses() {
    refused(
        Status.Code.INVALID_ARGUMENT, "REQUEST_INVALID", () -> predict(request("data", "[1, 2")));
    refused(Status.Code.INVALID_ARGUMENT, "INPUT_SHAPE", () -> predict(request("data", "[[1]]")));
    refused(Status.Code.INVALID_ARGUMENT, "absent", () -> predict(request("absent", ROW)));
    refused(
        Status.Code.NOT_FOUND,
        "absent",
        () -> predict(request("data", ROW).toBuilder().setModelName("absent").build()));
    refused(
        Status.Code.NOT_FOUND,
        "'9'",
        () -> predict(request("data", ROW).toBuilder().setModelVersion("9").build()));
  }

  @Test
  void theMainPortManagesNothing() {
    ManagementAPIsServiceBlockingStub main =
        GrpcClients.newClient(
            "gproto+http://127.0.0.1:" + server.port(), ManagementAPIsServiceBlockingStub.class);
    assertThatThrownBy(() -> main.listModels(ListModelsRequest.getDefaultInstance()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refusal ->
                assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED));
  }

  @Test
  void modelsAreManaged() {
    String one = "{\"models\":[{\"modelName\":\"mlp\",\"modelUrl\":\"mlp\"}]}";
    assertThat(management.listModels(ListModelsRequest.getDefaultInstance()).getMsg())
        .isEqualTo(one);
    DescribeModelRequest.Builder describe = DescribeModelRequest.newBuilder().setModelName("mlp");
    String told = management.describeModel(describe.build()).getMsg();
    assertThat(told).startsWith("[{\"modelName\":\"mlp\",\"modelVersion\":\"1.0.0\"");
    assertThat(management.describeModel(describe.setModelVersion("all").build()).getMsg())
        .hasSameSizeAs(told);
    SetDefaultRequest chosen =
        SetDefaultRequest.newBuilder().setModelName("mlp").setModelVersion("1.0.0").build();
    assertThat(management.setDefault(chosen).getMsg()).contains("successfully updated");
    ScaleWorkerRequest scale =
        ScaleWorkerRequest.newBuilder()
            .setModelName("mlp")
            .setMinWorker(1)
            .setSynchronous(true)
            .build();
    assertThat(management.scaleWorker(scale).getMsg()).startsWith("Workers scaled to ");
    RegisterModelRequest.Builder register = RegisterModelRequest.newBuilder().setUrl("mlp");
    refused(
        Status.Code.ALREADY_EXISTS, "registered", () -> management.registerModel(register.build()));
    UnregisterModelRequest gone = UnregisterModelRequest.newBuilder().setModelName("mlp").build();
    assertThat(management.unregisterModel(gone).getMsg()).isEqualTo("Model \"mlp\" unregistered");
    assertThat(management.registerModel(register.build()).getMsg()).contains("Version: 1.0.0");
    refused(
        Status.Code.INVALID_ARGUMENT,
        "nothing is fetched",
        () -> management.registerModel(register.setUrl("http://127.0.0.1/mlp.mar").build()));
    refused(
        Status.Code.NOT_FOUND,
        "absent",
        () -> management.describeModel(describe.setModelName("absent").build()));
  }
}
