package io.sealane.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.linecorp.armeria.common.MediaType;
import io.sealane.core.DataType;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TextBytes;
import io.sealane.protocols.inference.ModelInferRequest;
import io.sealane.protocols.serving.Input;
import io.sealane.protocols.serving.PredictRequest;
import io.sealane.protocols.tensorflow.TensorProto;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ModelConfig;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests of any bytes, as {@link Decoding} judges them. A build reads the inputs that are kept
 * beside this class's resources; {@code make fuzz} looks for more. Where a model has a part, the
 * first byte chooses it; {@link #PART} divides parts, as no JSON has it.
 */
class DecodersFuzzTest {
  private static final byte PART = 0x1e;
  private static final List<String> MODELS = List.of("mlp", "strings", "dtypes", "domains");
  private static final List<ServedVersion> VERSIONS = new ArrayList<>();
  private static final List<@Nullable MediaType> TYPES =
      Arrays.asList(
          null,
          MediaType.JSON,
          MediaType.OCTET_STREAM,
          MediaType.PLAIN_TEXT_UTF_8,
          MediaType.FORM_DATA,
          MediaType.PNG);

  @TempDir private static Path root;
  private static @Nullable ModelRepository repository;

  @BeforeAll
  static void load() throws IOException {
    for (String model : MODELS) {
      ServedBundle.copyTo(root, model);
    }
    ModelRepository loaded = new ModelRepository(root, model -> ModelConfig.defaults());
    repository = loaded;
    loaded.refresh();
    MODELS.forEach(model -> VERSIONS.add(loaded.model(model).version(null)));
  }

  @AfterAll
  static void unload() {
    if (repository != null) {
      repository.close();
    }
    VERSIONS.clear();
  }

  private static ServedVersion version(byte[] data) {
    return VERSIONS.get(Math.floorMod(data.length == 0 ? 0 : data[0], VERSIONS.size()));
  }

  private static Signature signature(byte[] data) {
    return version(data).session().signature();
  }

  private static byte[] after(byte[] data, int from) {
    return Arrays.copyOfRange(data, Math.min(from, data.length), data.length);
  }

  private static List<byte[]> parts(byte[] data) {
    List<byte[]> parts = new ArrayList<>();
    int from = 0;
    for (int i = 0; i <= data.length; i++) {
      if (i == data.length || data[i] == PART) {
        parts.add(Arrays.copyOfRange(data, from, i));
        from = i + 1;
      }
    }
    return parts;
  }

  /** The JSON of a request, then its binary tensors. */
  @FuzzTest
  void v2Rest(byte[] data) throws Exception {
    int length = parts(data).get(0).length;
    byte[] body = new byte[Math.max(data.length - 1, length)];
    System.arraycopy(data, 0, body, 0, length);
    if (length < data.length) {
      System.arraycopy(data, length + 1, body, length, data.length - length - 1);
    }
    Decoding.check(
        data.length,
        () -> {
          V2Request request = V2Json.read(body, length);
          return closedUnless(request.inputs(), () -> v2Read(request));
        });
  }

  private static Collection<Tensor> v2Read(V2Request request) throws IOException {
    var unused = Requests.of("m", null, request, 0);
    answered(request, true);
    boolean json = request.inputs().values().stream().noneMatch(DecodersFuzzTest::hasNoJson);
    if (json) {
      answered(request, false);
    }
    return request.inputs().values();
  }

  /** Of FP16, BF16 and bytes that are no text there is none; a NaN's does not keep its payload. */
  private static boolean hasNoJson(Tensor tensor) {
    return switch (tensor.dtype()) {
      case FP16, BF16 -> true;
      case FP32 -> Arrays.toString(tensor.floats()).contains("NaN");
      case FP64 -> Arrays.stream(tensor.doubles()).anyMatch(Double::isNaN);
      case BYTES ->
          Arrays.stream(tensor.strings())
              .anyMatch(each -> each != null && TextBytes.isBinary(each));
      default -> false;
    };
  }

  /** The inputs as a model's outputs: their answer is read as a request of the same tensors. */
  private static void answered(V2Request request, boolean binary) {
    V2Request asked = new V2Request(request.id(), Map.of(), Map.of(), List.of(), binary);
    V2Answer answer =
        V2Answer.of(asked, new InferenceResponse("m", "1", Map.copyOf(request.inputs())));
    String json = new String(answer.body(), 0, answer.jsonLength(), StandardCharsets.UTF_8);
    // An input's name has its quotes escaped, so that this is the field.
    byte[] head = json.replace("\"outputs\":[", "\"inputs\":[").getBytes(StandardCharsets.UTF_8);
    byte[] tail = after(answer.body(), answer.jsonLength());
    byte[] body = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, body, head.length, tail.length);
    try (V2Request again = V2Json.read(body, head.length)) {
      Decoding.same(again.inputs(), request.inputs());
    }
  }

  @FuzzTest
  void v2Grpc(byte[] data) throws Exception {
    Decoding.check(
        data.length,
        () -> {
          V2Request request = V2GrpcMessages.read(ModelInferRequest.parseFrom(data));
          return closedUnless(request.inputs(), () -> v2Read(request));
        });
  }

  @FuzzTest
  void v1Rest(byte[] data) throws Exception {
    Decoding.check(
        data.length, () -> V1Request.of(signature(data), after(data, 1)).inputs().values());
  }

  @FuzzTest
  void examplesRest(byte[] data) throws Exception {
    Decoding.check(
        data.length,
        () -> Examples.of(signature(data), NestedJson.object(after(data, 1))).values());
  }

  @FuzzTest
  void examplesGrpc(byte[] data) throws Exception {
    Decoding.check(
        data.length, () -> Examples.of(signature(data), Input.parseFrom(after(data, 1))).values());
  }

  @FuzzTest
  void predictGrpc(byte[] data) throws Exception {
    Decoding.check(
        data.length,
        () -> {
          PredictRequest request = PredictRequest.parseFrom(data);
          Map<String, Tensor> inputs = ServingGrpc.inputs(request);
          return closedUnless(
              inputs,
              () -> {
                inputs.values().forEach(DecodersFuzzTest::isWrittenAgain);
                return inputs.values();
              });
        });
  }

  private static void isWrittenAgain(Tensor tensor) {
    TensorProto proto = TensorProtos.write(tensor);
    try (Tensor again = TensorProtos.read("x", proto)) {
      Decoding.same(Map.of("x", again), Map.of("x", tensor));
    }
  }

  /** The first byte is the model, the second the type of the body. */
  @FuzzTest
  void torchServe(byte[] data) throws Exception {
    MediaType type = TYPES.get(Math.floorMod(data.length < 2 ? 0 : data[1], TYPES.size()));
    Decoding.check(
        data.length,
        () -> torchServeRead(TorchServeRequest.of(version(data), type, after(data, 2))));
  }

  /** Fields of a form: of each its name, its type, its bytes. */
  @FuzzTest
  void torchServeFields(byte[] data) throws Exception {
    List<byte[]> parts = parts(after(data, 1));
    List<TorchServeRequest.Field> fields = new ArrayList<>();
    for (int i = 0; i + 2 < parts.size(); i += 3) {
      byte[] type = parts.get(i + 1);
      fields.add(
          new TorchServeRequest.Field(
              new String(parts.get(i), StandardCharsets.UTF_8),
              TYPES.get(Math.floorMod(type.length == 0 ? 0 : type[0], TYPES.size())),
              ByteBuffer.wrap(parts.get(i + 2))));
    }
    Decoding.check(data.length, () -> torchServeRead(TorchServeRequest.of(version(data), fields)));
  }

  private static Collection<Tensor> torchServeRead(TorchServeRequest request) {
    return request.inputs().values();
  }

  /** A dtype, a rank, the dims of eight bytes each, and the bytes. */
  @FuzzTest
  void raw(byte[] data) throws Exception {
    ByteBuffer from = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    if (from.remaining() < 2) {
      return;
    }
    DataType dtype = DataType.values()[Math.floorMod(from.get(), DataType.values().length)];
    long[] dims = new long[Math.min(Math.floorMod(from.get(), 9), from.remaining() / 8)];
    for (int axis = 0; axis < dims.length; axis++) {
      dims[axis] = from.getLong();
    }
    byte[] sent = after(data, from.position());
    Decoding.check(
        data.length,
        () -> {
          Tensor tensor = RawTensors.read("x", dtype, dims, ByteBuffer.wrap(sent));
          return closedUnless(
              Map.of("x", tensor),
              () -> {
                if (!Arrays.equals(RawTensors.bytes(tensor), sent)) {
                  throw new AssertionError("the bytes are not those that were sent");
                }
                return List.of(tensor);
              });
        });
  }

  private static Collection<Tensor> closedUnless(
      Map<String, Tensor> inputs, Callable<Collection<Tensor>> more) throws Exception {
    try {
      return more.call();
    } catch (Exception | Error refused) {
      inputs.values().forEach(Tensor::close);
      throw refused;
    }
  }
}
