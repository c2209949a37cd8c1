package io.sealane.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RankVectorTest {
  private static byte[] reply(byte[] given) {
    return TaskReply.of(() -> given);
  }

  @Test
  void theMeanIsWeightedByRows() {
    List<byte[]> given =
        List.of(
            RankVector.toBytes(0, 3, 2.0, new float[] {1, 10}),
            RankVector.toBytes(1, 1, 6.0, new float[] {5, 30}));
    RankVector all = RankVector.of(given);
    assertThat(all.rows()).isEqualTo(4);
    assertThat(all.loss()).isEqualTo(12.0);
    assertThat(all.mean()).containsExactly(2, 15);
  }

  @Test
  void theOrderInWhichRanksAnswerDoesNotMatter() {
    Random random = new Random(1);
    List<byte[]> given = new ArrayList<>();
    for (int rank = 0; rank < 6; rank++) {
      float[] vector = {random.nextFloat(), random.nextFloat() * 1e-7f, random.nextFloat() * 1e7f};
      given.add(RankVector.toBytes(rank, 7, 0.1 * rank, vector));
    }
    RankVector ordered = RankVector.of(given);
    Collections.reverse(given);
    assertThat(RankVector.of(given).mean()).isEqualTo(ordered.mean());
    assertThat(RankVector.of(given).loss()).isEqualTo(ordered.loss());
    List<byte[]> groups = new ArrayList<>();
    for (int start : new int[] {4, 0, 2}) {
      List<byte[]> group =
          given.stream()
              .filter(each -> RankVector.rank(each) / 2 == start / 2)
              .map(RankVectorTest::reply)
              .toList();
      groups.add(RankVector.sum(group.iterator()));
    }
    assertThat(RankVector.ofSums(groups).mean()).isEqualTo(ordered.mean());
    assertThat(RankVector.ofSums(groups).rows()).isEqualTo(42);
  }

  @Test
  void anErrorOfARankGoesThroughTheSum() {
    byte[] error = TaskReply.error(new SealaneException(ErrorCode.INPUT_NULL, "no value"));
    assertThat(RankVector.group(error, 8)).isZero();
    assertThatThrownBy(() -> RankVector.sum(List.of(error).iterator()))
        .isInstanceOf(SealaneException.class)
        .hasMessage("INPUT_NULL: no value");
  }
}
