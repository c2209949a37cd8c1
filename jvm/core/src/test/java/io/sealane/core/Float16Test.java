package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class Float16Test {
  @Test
  void everyHalfSurvivesTheRoundTrip() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Float16.fromHalf((short) bits);
      if (Float.isNaN(value)) {
        assertThat(Float16.fromHalf(Float16.toHalf(value))).isNaN();
      } else {
        assertThat(Float16.toHalf(value)).as("bits %x", bits).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void everyBfloatSurvivesTheRoundTrip() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Float16.fromBfloat((short) bits);
      if (Float.isNaN(value)) {
        assertThat(Float16.fromBfloat(Float16.toBfloat(value))).isNaN();
      } else {
        assertThat(Float16.toBfloat(value)).as("bits %x", bits).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void roundsToTheNearestHalfTiesToEven() {
    for (int bits = 0; bits < 0x7c00; bits++) {
      float low = Float16.fromHalf((short) bits);
      float high = bits == 0x7bff ? 65536f : Float16.fromHalf((short) (bits + 1));
      float middle =
          new BigDecimal(low).add(new BigDecimal(high)).divide(BigDecimal.valueOf(2)).floatValue();
      assertThat(Float16.toHalf(middle)).isEqualTo((short) (bits + (bits & 1)));
      assertThat(Float16.toHalf(Math.nextDown(middle))).isEqualTo((short) bits);
      assertThat(Float16.toHalf(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
      assertThat(Float16.toHalf(-middle)).isEqualTo((short) (0x8000 | bits + (bits & 1)));
    }
  }

  @Test
  void roundsToTheNearestBfloatTiesToEven() {
    for (int bits = 0; bits < 0x7f80; bits++) {
      float middle = Float.intBitsToFloat(bits << 16 | 0x8000);
      assertThat(Float16.toBfloat(middle)).isEqualTo((short) (bits + (bits & 1)));
      assertThat(Float16.toBfloat(Math.nextDown(middle))).isEqualTo((short) bits);
      assertThat(Float16.toBfloat(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
    }
  }

  @Test
  void knownValues() {
    assertThat(Float16.toHalf(1f)).isEqualTo((short) 0x3c00);
    assertThat(Float16.toHalf(-0f)).isEqualTo((short) 0x8000);
    assertThat(Float16.toHalf(65504f)).isEqualTo((short) 0x7bff);
    assertThat(Float16.toHalf(65519.99f)).isEqualTo((short) 0x7bff);
    assertThat(Float16.toHalf(65520f)).isEqualTo((short) 0x7c00);
    assertThat(Float16.toHalf(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xfc00);
    assertThat(Float16.toHalf(0x1p-24f)).isEqualTo((short) 1);
    assertThat(Float16.toHalf(0x1p-25f)).isEqualTo((short) 0);
    assertThat(Float16.toBfloat(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
    assertThat(Float16.toBfloat(3.140625f)).isEqualTo((short) 0x4049);
  }
}
