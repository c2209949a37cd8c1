package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.sealane.core.Leaks;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.serving.DataPlane;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.ModelConfig;
import io.sealane.serving.ModelRepository;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Captures of a real model's requests. Whatever a test does, no tensor is left open. */
@Timeout(60)
class CaptureTest {
  @TempDir Path root;

  private long openBefore;
  private ModelRepository repository;
  private Capture capture;
  private DataPlane plane;

  /** Keeps what it is given, as a disk does; full or hanging when a test wants it so. */
  private static final class Disk implements Capture.Sink {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CountDownLatch reached = new CountDownLatch(1);
    private volatile CountDownLatch works = new CountDownLatch(0);
    private volatile boolean full;
    private volatile boolean closed;

    @Override
    public void append(byte[] member) throws IOException {
      reached.countDown();
      try {
        works.await();
      } catch (InterruptedException ended) {
        throw new IOException(ended);
      }
      if (full) {
        throw new IOException("No space left on device");
      }
      bytes.writeBytes(member);
    }

    @Override
    public void close() {
      closed = true;
    }

    List<JsonNode> lines() throws IOException {
      List<JsonNode> lines = new ArrayList<>();
      ObjectMapper mapper = new ObjectMapper(V2Json.FACTORY);
      try (BufferedReader text =
          new BufferedReader(
              new InputStreamReader(
                  new GZIPInputStream(new ByteArrayInputStream(bytes.toByteArray())),
                  StandardCharsets.UTF_8))) {
        for (String line = text.readLine(); line != null; line = text.readLine()) {
          lines.add(mapper.readTree(line));
        }
      }
      return lines;
    }
  }

  private final Disk disk = new Disk();

  @BeforeEach
  void serve() throws IOException {
    openBefore = Leaks.open();
    ServedBundle.copyTo(root);
    repository = new ModelRepository(root, model -> ModelConfig.defaults());
    repository.refresh();
    use(1);
  }

  private void use(double fraction) {
    capture = new Capture(model -> fraction, disk);
    plane = new DataPlane(repository, () -> null, capture);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    disk.works.countDown();
    capture.close();
    repository.close();
    assertThat(Leaks.open()).as("tensors and sessions left open").isEqualTo(openBefore);
  }

  private float[] ask(int rows) throws Exception {
    Tensor features = Tensor.allocate(io.sealane.core.DataType.FP32, Shape.of(rows, 4));
    Map<String, Tensor> inputs = Map.of("features", features);
    CompletableFuture<InferenceResponse> answer =
        plane.infer(InferenceRequest.of("mlp", null, inputs));
    try (InferenceResponse response = answer.get(30, TimeUnit.SECONDS)) {
      return response.outputs().get("scores").floats();
    }
  }

  private double count(String outcome) {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    capture.bindTo(registry);
    return registry
        .get("sealane.capture.requests")
        .tag("outcome", outcome)
        .functionCounter()
        .count();
  }

  private double all() {
    return count("written") + count("dropped") + count("failed");
  }

  @Test
  void aLineHasTheRequestAndItsAnswer() throws Exception {
    float[] scores = ask(2);
    capture.close();
    assertThat(disk.closed).isTrue();
    assertThat(disk.lines()).hasSize(1);
    JsonNode line = disk.lines().get(0);
    assertThat(line.get("model_name").asText()).isEqualTo("mlp");
    assertThat(line.get("model_version").asText()).isEqualTo("1.0.0");
    assertThat(line.at("/inputs/0").toString())
        .isEqualTo(
            "{\"name\":\"features\",\"datatype\":\"FP32\",\"shape\":[2,4],"
                + "\"data\":[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0]}");
    JsonNode data = line.at("/outputs/0/data");
    assertThat(data).hasSize(scores.length);
    for (int i = 0; i < scores.length; i++) {
      assertThat((float) data.get(i).asDouble()).isEqualTo(scores[i]);
    }
    assertThat(count("written")).isEqualTo(1);
  }

  @Test
  void whatIsRefusedIsNotCapturedAndLeavesNothingOpen() throws Exception {
    Map<String, Tensor> inputs = Map.of("features", Tensor.fp32(Shape.of(1, 3), 1, 2, 3));
    assertThat(plane.infer(InferenceRequest.of("mlp", null, inputs))).isCompletedExceptionally();
    Map<String, Tensor> others = Map.of("features", Tensor.fp32(Shape.of(1, 1), 1));
    assertThat(plane.infer(InferenceRequest.of("nothing", null, others)))
        .isCompletedExceptionally();
    capture.close();
    assertThat(all()).isZero();
  }

  @Test
  void aFractionIsCaptured() throws Exception {
    capture.close();
    use(0.25);
    for (int i = 0; i < 400; i++) {
      ask(1);
    }
    capture.close();
    assertThat(all()).isBetween(50.0, 150.0);
  }

  @Test
  void whileTheDiskHangsRequestsAreAnsweredAndDropped() throws Exception {
    disk.works = new CountDownLatch(1);
    ask(1);
    assertThat(disk.reached.await(30, TimeUnit.SECONDS)).isTrue();
    for (int i = 0; i < Capture.WAITING + 100; i++) {
      ask(1);
    }
    assertThat(count("dropped")).isEqualTo(100);
    disk.works.countDown();
    capture.close();
    assertThat(count("written")).isEqualTo(Capture.WAITING + 1);
    assertThat(disk.lines()).hasSize(Capture.WAITING + 1);
  }

  @Test
  void whileTheDiskHangsFewLargeRequestsWait() throws Exception {
    disk.works = new CountDownLatch(1);
    ask(1);
    assertThat(disk.reached.await(30, TimeUnit.SECONDS)).isTrue();
    int rows = 4096;
    long most = Capture.WAITING_BYTES / (rows * (4 + 3) * 4L);
    assertThat(most).isLessThan(Capture.WAITING);
    for (int i = 0; i < most + 3; i++) {
      ask(rows);
    }
    assertThat(count("dropped")).isEqualTo(3);
  }

  @Test
  void aFullDiskIsCountedAndUsedAgainWhenItIsNot() throws Exception {
    disk.full = true;
    ask(1);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (count("failed") == 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(20);
    }
    disk.full = false;
    ask(1);
    capture.close();
    assertThat(count("failed")).isEqualTo(1);
    assertThat(count("written")).isEqualTo(1);
    assertThat(disk.lines()).hasSize(1);
  }

  @Test
  void aTextThatIsNoUnicodeSpoilsNoLine() throws Exception {
    Map<String, Tensor> tensors = Map.of("t", Tensor.bytes(Shape.of(2), "a\ud800\nb", null));
    try (Captured captured =
        new Captured(java.time.Instant.EPOCH, "id", "m", "1", tensors, Map.of())) {
      assertThat(captured.bytes()).isEqualTo(8 + 2 * 4 + 8);
      Capture.Member member = new Capture.Member();
      member.add(captured);
      member.add(captured);
      disk.append(member.bytes());
    }
    assertThat(disk.lines()).hasSize(2);
    assertThat(disk.lines().get(1).at("/inputs/0/data").toString()).isEqualTo("[\"a?\\nb\",null]");
  }
}
