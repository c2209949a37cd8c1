import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import inference.GrpcPredictV2.InferTensorContents;
import inference.GrpcPredictV2.ModelInferRequest;
import inference.GrpcPredictV2.ModelInferResponse;
import inference.GrpcPredictV2.ModelMetadataResponse;
import inference.GrpcPredictV2.ModelReadyResponse;
import inference.GrpcPredictV2.ServerLiveResponse;
import inference.GrpcPredictV2.ServerMetadataResponse;
import inference.GrpcPredictV2.ServerReadyResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.torchserve.TorchServeConstants;
import org.apache.camel.component.torchserve.client.model.ApiException;
import org.apache.camel.component.torchserve.client.model.ModelDetail;
import org.apache.camel.component.torchserve.client.model.ModelList;
import org.apache.camel.component.torchserve.client.model.RegisterOptions;
import org.apache.camel.component.torchserve.client.model.ScaleWorkerOptions;
import org.apache.camel.impl.DefaultCamelContext;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.TensorProto;
import org.tensorflow.framework.TensorShapeProto;
import org.tensorflow.framework.TensorShapeProto.Dim;
import tensorflow.serving.GetModelMetadata.GetModelMetadataResponse;
import tensorflow.serving.GetModelStatus.GetModelStatusResponse;
import tensorflow.serving.Predict.PredictRequest;
import tensorflow.serving.Predict.PredictResponse;

/**
 * What a user of Apache Camel's components {@code kserve}, {@code tensorflow-serving} and {@code
 * torchserve} does: {@code java -cp JARS CamelClients.java HOST:PORT HOST:PORT TOKEN CASE}, with the
 * main port, the management port, its token, and a golden case as {@code golden_case.py} has it.
 */
final class CamelClients {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ProducerTemplate camel;
  private final String address;
  private final String torchserve;
  private final String model;
  private final String version;
  private final String input;
  private final String output;
  private final JsonNode rows;
  private final List<Float> expected;

  private CamelClients(ProducerTemplate camel, String[] arguments) throws Exception {
    this.camel = camel;
    this.address = arguments[0];
    this.torchserve =
        "inferenceAddress=http://%s&managementAddress=http://%s&managementKey=%s"
            .formatted(arguments[0], arguments[1], arguments[2]);
    JsonNode golden = JSON.readTree(Path.of(arguments[3]).toFile());
    this.model = golden.get("model").asText();
    this.version = golden.get("version").asText();
    this.input = golden.get("inputs").fieldNames().next();
    this.output = golden.get("outputs").fieldNames().next();
    this.rows = golden.get("inputs").get(input);
    this.expected = floats(golden.get("outputs").get(output));
  }

  public static void main(String[] arguments) throws Exception {
    try (CamelContext context = new DefaultCamelContext()) {
      context.start();
      CamelClients clients = new CamelClients(context.createProducerTemplate(), arguments);
      clients.kserve();
      clients.tensorflowServing();
      clients.torchserveInference();
      clients.torchserveManagement();
    }
    System.out.println("done");
  }

  private static List<Float> floats(JsonNode nested) {
    List<Float> values = new ArrayList<>();
    if (nested.isArray()) {
      nested.forEach(each -> values.addAll(floats(each)));
    } else {
      values.add(nested.floatValue());
    }
    return values;
  }

  private static void require(boolean held, Object what) {
    if (!held) {
      throw new AssertionError(String.valueOf(what));
    }
  }

  private <T> T kserve(String api, Object body, Class<T> answer) {
    String uri = "kserve:%s?target=%s&modelName=%s".formatted(api, address, model);
    return camel.requestBody(uri, body, answer);
  }

  private void kserve() {
    require(kserve("server/live", null, ServerLiveResponse.class).getLive(), "live");
    require(kserve("server/ready", null, ServerReadyResponse.class).getReady(), "ready");
    require(kserve("model/ready", null, ModelReadyResponse.class).getReady(), "model ready");
    ServerMetadataResponse server = kserve("server/metadata", null, ServerMetadataResponse.class);
    require(server.getExtensionsCount() > 0, server);
    ModelMetadataResponse metadata = kserve("model/metadata", null, ModelMetadataResponse.class);
    require(metadata.getInputs(0).getName().equals(input), metadata);
    ModelInferRequest.InferInputTensor.Builder tensor =
        ModelInferRequest.InferInputTensor.newBuilder()
            .setName(input)
            .setDatatype("FP32")
            .addShape(rows.size())
            .addShape(rows.get(0).size());
    ByteBuffer raw = ByteBuffer.allocate(4 * floats(rows).size()).order(ByteOrder.LITTLE_ENDIAN);
    floats(rows).forEach(raw::putFloat);
    ModelInferRequest bytes =
        ModelInferRequest.newBuilder()
            .addInputs(tensor)
            .addRawInputContents(ByteString.copyFrom(raw.flip()))
            .build();
    ByteBuffer answer =
        kserve("infer", bytes, ModelInferResponse.class)
            .getRawOutputContents(0)
            .asReadOnlyByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN);
    for (Float each : expected) {
      require(each == answer.getFloat(), each);
    }
    InferTensorContents typed =
        InferTensorContents.newBuilder().addAllFp32Contents(floats(rows)).build();
    ModelInferRequest values =
        ModelInferRequest.newBuilder()
            .setModelVersion(version)
            .addInputs(tensor.setContents(typed))
            .build();
    ModelInferResponse response = kserve("infer", values, ModelInferResponse.class);
    require(
        response.getOutputs(0).getContents().getFp32ContentsList().equals(expected), response);
  }

  private <T> T serving(String api, Object body, Class<T> answer) {
    long number = Long.parseLong(version.split("\\.")[0]);
    String uri = "tensorflow-serving:%s?target=%s&modelName=%s".formatted(api, address, model);
    T newest = camel.requestBody(uri, body, answer);
    T numbered = camel.requestBody(uri + "&modelVersion=" + number, body, answer);
    require(newest.equals(numbered), numbered);
    return newest;
  }

  private void tensorflowServing() {
    GetModelStatusResponse status = serving("model-status", null, GetModelStatusResponse.class);
    require(status.getModelVersionStatus(0).getState().name().equals("AVAILABLE"), status);
    GetModelMetadataResponse metadata =
        serving("model-metadata", null, GetModelMetadataResponse.class);
    require(metadata.containsMetadata("signature_def"), metadata);
    TensorProto tensor =
        TensorProto.newBuilder()
            .setDtype(DataType.DT_FLOAT)
            .setTensorShape(
                TensorShapeProto.newBuilder()
                    .addDim(Dim.newBuilder().setSize(rows.size()))
                    .addDim(Dim.newBuilder().setSize(rows.get(0).size())))
            .addAllFloatVal(floats(rows))
            .build();
    PredictRequest request = PredictRequest.newBuilder().putInputs(input, tensor).build();
    PredictResponse response = serving("predict", request, PredictResponse.class);
    TensorProto answer = response.getOutputsOrThrow(output);
    ByteBuffer content =
        answer.getTensorContent().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < expected.size(); i++) {
      float value = answer.getFloatValCount() > 0 ? answer.getFloatVal(i) : content.getFloat();
      require(expected.get(i) == value, response);
    }
  }

  private <T> T torchserve(String operation, Object body, Map<String, Object> headers, Class<T> as) {
    String uri = "torchserve:%s?%s&modelName=%s".formatted(operation, torchserve, model);
    return camel.requestBodyAndHeaders(uri, body, headers, as);
  }

  /** The component sends a body as the JSON text of its base64. */
  private void torchserveInference() throws Exception {
    String healthy = torchserve("inference/ping", null, Map.of(), String.class);
    require(healthy.equals("Healthy"), healthy);
    byte[] body = JSON.writeValueAsBytes(rows);
    for (Map<String, Object> headers :
        List.<Map<String, Object>>of(
            Map.of(), Map.of(TorchServeConstants.MODEL_VERSION, version))) {
      Object answer = torchserve("inference/predictions", body, headers, Object.class);
      require(floats(JSON.valueToTree(answer)).equals(expected), answer);
    }
    refused(
        404,
        "inference/predictions",
        body,
        Map.of(TorchServeConstants.MODEL_NAME, (Object) "absent"));
    refused(400, "inference/predictions", "[[1]]".getBytes(), Map.of());
  }

  private void torchserveManagement() {
    ModelList list = torchserve("management/list", null, Map.of(), ModelList.class);
    require(list.getModels().stream().anyMatch(each -> each.getModelName().equals(model)), list);
    ModelDetail detail =
        (ModelDetail) torchserve("management/describe", null, Map.of(), List.class).get(0);
    require(detail.getModelVersion().equals(version), detail);
    require(detail.getWorkers().size() == detail.getMinWorkers(), detail);
    Map<String, Object> workers =
        Map.of(
            TorchServeConstants.SCALE_WORKER_OPTIONS,
            ScaleWorkerOptions.builder().minWorker(1).synchronous(true).build());
    String scaled = torchserve("management/scale-worker", null, workers, String.class);
    require(scaled.startsWith("Workers scaled to "), scaled);
    Map<String, Object> versioned = Map.of(TorchServeConstants.MODEL_VERSION, version);
    torchserve("management/set-default", null, versioned, String.class);
    Map<String, Object> folder =
        Map.of(
            TorchServeConstants.URL,
            model,
            TorchServeConstants.REGISTER_OPTIONS,
            RegisterOptions.builder().initialWorkers(1).synchronous(true).build());
    refused(409, "management/register", null, folder);
    refused(
        400,
        "management/register",
        null,
        Map.of(TorchServeConstants.URL, (Object) "http://127.0.0.1/model.mar"));
    String gone = torchserve("management/unregister", null, Map.of(), String.class);
    require(gone.equals("Model \"" + model + "\" unregistered"), gone);
    refused(404, "management/describe", null, Map.of());
    String back = torchserve("management/register", null, folder, String.class);
    require(back.contains(version), back);
  }

  private void refused(int status, String operation, Object body, Map<String, Object> headers) {
    try {
      torchserve(operation, body, headers, Object.class);
    } catch (CamelExecutionException failed) {
      require(
          failed.getCause() instanceof ApiException refusal && refusal.getCode() == status,
          failed.getCause());
      return;
    }
    throw new AssertionError("not refused: " + operation);
  }
}
