package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EcdsaDerTest {
  private static final BigInteger ORDER = BigInteger.valueOf(0x7fff);

  private static boolean canonical(String hex) {
    return EcdsaDer.isCanonical(HexFormat.of().parseHex(hex), ORDER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"3006020101020101", "300802027ffe02027ffe", "30080202008002020080"})
  void numbersFromOneToTheOrderLessOneAreTaken(String hex) {
    assertThat(canonical(hex)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "3006020100020100",
        "3006020100020101",
        "3006020101020100", // zero
        "300702027fff020101",
        "300702010102027fff",
        "3008020200ff02027fff", // the order
        "3006020181020101",
        "3007020200010201ff", // negative, padded
        "300602010102010100",
        "300702010102010100", // trailing
        "308106020101020101",
        "30800201010201010000", // long and indefinite lengths
        "3005020101020101",
        "3003020101",
        "30",
        "",
        "3106020101020101",
        "3006030101020101",
      })
  void everythingElseIsRefused(String hex) {
    assertThat(canonical(hex)).isFalse();
  }

  @Test
  void everyCutIsRefused() {
    byte[] whole = HexFormat.of().parseHex("300802027ffe02027ffe");
    for (int length = 0; length < whole.length; length++) {
      assertThat(EcdsaDer.isCanonical(java.util.Arrays.copyOf(whole, length), ORDER)).isFalse();
    }
  }
}
