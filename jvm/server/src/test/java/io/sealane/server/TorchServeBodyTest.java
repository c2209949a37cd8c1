package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.MediaType;
import io.sealane.core.DataType;
import io.sealane.server.TorchServeBody.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchServeBodyTest {
  private static Kind kind(DataType dtype, @Nullable String type, byte[] body) {
    return Kind.of(dtype, type == null ? null : MediaType.parse(type), body);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "FP32  | application/json         | hello     | JSON",
        "BYTES | application/json         | hello     | JSON",
        "FP32  | application/octet-stream | [1, 2, 3] | RAW",
        "UINT8 | image/png                | [1, 2, 3] | RAW",
        "BYTES | text/plain               | [1, 2, 3] | RAW",
        "FP32  | text/plain               | hello     | JSON",
        "FP32  |                          | hello     | JSON",
        "FP32  |                          | [1, 2, 3] | JSON",
        "BYTES |                          | hello     | RAW",
        "BYTES |                          | Ärger: 日本 | RAW",
        "BYTES |                          | [\"a\"]   | JSON",
        "BYTES | application/x-www-form-urlencoded | hello | RAW",
        "FP32  | application/x-www-form-urlencoded | [1]   | JSON",
      })
  void theTypeDecidesThenTheBytes(DataType dtype, @Nullable String type, String body, Kind kind) {
    assertThat(kind(dtype, type, body.getBytes(StandardCharsets.UTF_8))).isEqualTo(kind);
  }

  @Test
  void whiteSpaceBeforeJsonDoesNotHideIt() {
    byte[] body = "\r\n\t [1]".getBytes(StandardCharsets.UTF_8);
    assertThat(kind(DataType.BYTES, null, body)).isEqualTo(Kind.JSON);
    assertThat(kind(DataType.BYTES, null, new byte[0])).isEqualTo(Kind.RAW);
  }

  @Test
  void numbersAsBytesAreNoText() {
    Random random = new Random(1);
    for (int i = 0; i < 1000; i++) {
      ByteBuffer floats = ByteBuffer.allocate(400);
      while (floats.hasRemaining()) {
        floats.putFloat((float) random.nextGaussian());
      }
      floats.array()[0] = '[';
      assertThat(kind(DataType.FP32, null, floats.array())).isEqualTo(Kind.RAW);
    }
  }

  @Test
  void aFormIsToldByItsFirstName() {
    assertThat(TorchServeBody.beginning("data=[1]&x=2".getBytes(StandardCharsets.UTF_8)))
        .isEqualTo("data");
    assertThat(TorchServeBody.beginning("[1, 2]".getBytes(StandardCharsets.UTF_8))).isEmpty();
  }
}
