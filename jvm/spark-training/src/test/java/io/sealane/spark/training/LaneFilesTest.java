package io.sealane.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LaneFilesTest {
  private static final RowLayout LAYOUT =
      new RowLayout(
          List.of(
              new RowLayout.Part("x", DataType.FP32, List.of(3L)),
              new RowLayout.Part("city", DataType.INT64, List.of()),
              new RowLayout.Part("", DataType.FP32, List.of(1L))));

  @TempDir Path folder;

  private static byte[] chunk(byte kind, int first, int rows) {
    float[] x = new float[rows * 3];
    long[] city = new long[rows];
    float[] y = new float[rows];
    for (int i = 0; i < rows; i++) {
      x[i * 3] = first + i;
      x[i * 3 + 2] = -i;
      city[i] = (1L << 40) + first + i;
      y[i] = 0.5f * (first + i);
    }
    try (Tensor a = Tensor.fp32(Shape.of(rows, 3), x);
        Tensor b = Tensor.int64(Shape.of(rows), city);
        Tensor c = Tensor.fp32(Shape.of(rows, 1), y)) {
      byte[] laid = LAYOUT.rows(List.of(a, b, c), rows);
      return ByteBuffer.allocate(1 + laid.length).put(kind).put(laid).array();
    }
  }

  private Lane write() {
    List<byte[]> chunks = new ArrayList<>();
    chunks.add(LaneWriter.layoutChunk(LAYOUT));
    chunks.add(chunk(LaneChunks.TRAIN, 0, 5));
    chunks.add(chunk(LaneChunks.HELD, 100, 2));
    chunks.add(chunk(LaneChunks.TRAIN, 5, 3));
    return LaneWriter.write(folder, 7, chunks.iterator());
  }

  @Test
  void rowsComeBackAsTheyWereLaidDown() {
    Lane lane = write();
    assertThat(Lane.parse(lane.toBytes())).isEqualTo(lane);
    assertThat(lane).isEqualTo(new Lane(7, 8, 2, lane.digest()));
    assertThat(write().digest()).isEqualTo(lane.digest());
    LaneFile train = LaneFile.open(LaneFile.path(folder, 7, false));
    assertThat(train.layout()).isEqualTo(LAYOUT);
    try (RowBatch batch = new RowBatch(LAYOUT, 2)) {
      batch.add(train, 6);
      batch.add(train, 2);
      Map<String, Tensor> inputs = batch.inputs();
      assertThat(inputs).containsOnlyKeys("x", "city");
      assertThat(inputs.get("x").floats()).containsExactly(6, 0, -1, 2, 0, -2);
      assertThat(inputs.get("city").longs()).containsExactly((1L << 40) + 6, (1L << 40) + 2);
      assertThat(batch.target().floats()).containsExactly(3, 1);
    }
    assertThat(LaneFile.open(LaneFile.path(folder, 7, true)).rows()).isEqualTo(2);
  }

  @Test
  void aLaneWithAnErrorLeavesNothingBehind() throws IOException {
    byte[] error = TaskReply.error(new SealaneException(ErrorCode.INPUT_NULL, "no value"));
    List<byte[]> chunks = List.of(LaneWriter.layoutChunk(LAYOUT), error);
    assertThatThrownBy(() -> LaneWriter.write(folder, 0, chunks.iterator()))
        .isInstanceOf(SealaneException.class)
        .hasMessage("INPUT_NULL: no value");
    try (var left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 7, 16, 17, 1000, 4097})
  void aPermutationHasEachNumberOnce(long bound) {
    Permutation order = new Permutation(bound, 3);
    Set<Long> seen = new HashSet<>();
    long moved = 0;
    for (long place = 0; place < bound; place++) {
      assertThat(order.at(place)).isBetween(0L, bound - 1);
      seen.add(order.at(place));
      moved += order.at(place) == new Permutation(bound, 4).at(place) ? 0 : 1;
    }
    assertThat(seen).hasSize((int) bound);
    if (bound > 100) {
      assertThat(moved).isGreaterThan(bound * 9 / 10);
    }
  }

  @Test
  void theAreaUnderTheCurveIsCounted() {
    HeldOut found = new HeldOut();
    assertThat(found.auc()).isEmpty();
    found.rank(0.9, true);
    found.rank(0.4, true);
    found.rank(0.6, false);
    found.rank(0.4, false);
    HeldOut both = new HeldOut();
    both.add(found.toBytes());
    assertThat(both.auc().orElseThrow()).isEqualTo(2.5 / 4);
  }

  @Test
  void scoresAreToldApartAsInPython() throws IOException {
    Path vectors = Path.of(System.getProperty("sealane.conformance"), "spark/ranking.json");
    int read = 0;
    for (JsonNode vector : new ObjectMapper().readTree(vectors.toFile()).get("cases")) {
      HeldOut found = new HeldOut();
      for (int i = 0; i < vector.get("scores").size(); i++) {
        found.rank(
            vector.get("scores").get(i).asDouble(), vector.get("targets").get(i).asInt() == 1);
      }
      OptionalDouble area =
          vector.get("area").isNull()
              ? OptionalDouble.empty()
              : OptionalDouble.of(vector.get("area").asDouble());
      assertThat(found.auc()).describedAs(vector.get("why").asText()).isEqualTo(area);
      read++;
    }
    assertThat(read).isPositive();
  }
}
