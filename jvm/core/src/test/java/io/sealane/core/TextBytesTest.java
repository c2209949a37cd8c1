package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextBytesTest {
  @Test
  void textIsItsUtf8() {
    String text = "a\u0000é\uffff😀";
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    assertThat(TextBytes.decode(ByteBuffer.wrap(utf8))).isEqualTo(text);
    assertThat(TextBytes.encode(text)).isEqualTo(utf8);
    assertThat(TextBytes.isBinary(text)).isFalse();
    assertThat(TextBytes.decode(ByteBuffer.allocate(0))).isEmpty();
  }

  @Test
  void eachByteThatIsNoUtf8IsAnUnpairedSurrogate() {
    // A cut character, an encoded surrogate, an overlong zero, and a byte that is never there.
    byte[] bytes = bytes(0xe2, 0x82, 'x', 0xed, 0xb2, 0x80, 0xc0, 0x80, 0xff, 0xf0, 0x9f);
    String text = TextBytes.decode(ByteBuffer.wrap(bytes));
    assertThat(text).isEqualTo("\udce2\udc82x\udced\udcb2\udc80\udcc0\udc80\udcff\udcf0\udc9f");
    assertThat(TextBytes.isBinary(text)).isTrue();
    assertThat(TextBytes.encode(text)).isEqualTo(bytes);
  }

  @Test
  void whatIsBehindACharacterOfTwoUnitsIsNoPartOfIt() {
    byte[] bytes = bytes(0xf0, 0x9f, 0x98, 0x80, 0x80, 0xf0, 0x9f, 0x98, 0x80);
    String text = TextBytes.decode(ByteBuffer.wrap(bytes));
    assertThat(text).isEqualTo("😀\udc80😀");
    assertThat(TextBytes.encode(text)).isEqualTo(bytes);
  }

  @Test
  void anyBytesComeBack() {
    Random random = new Random(7);
    for (int size = 0; size < 3000; size++) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      assertThat(TextBytes.encode(TextBytes.decode(ByteBuffer.wrap(bytes)))).isEqualTo(bytes);
    }
  }

  @Test
  void theBytesBetweenPositionAndLimitAreReadAndLeft() {
    ByteBuffer bytes = ByteBuffer.wrap(bytes('a', 0xff, 'b', 'c')).position(1).limit(3);
    assertThat(TextBytes.decode(bytes.asReadOnlyBuffer())).isEqualTo("\udcffb");
    assertThat(bytes.remaining()).isEqualTo(2);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
