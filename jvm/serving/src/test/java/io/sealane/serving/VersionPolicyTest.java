package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VersionPolicyTest {
  private static final List<String> FOUND = List.of("2", "10", "1.5", "10-rc.1", "9.0.1");

  @Test
  void allAreTheNewestFirst() {
    assertThat(new VersionPolicy.All().choose(FOUND))
        .containsExactly("10", "10-rc.1", "9.0.1", "2", "1.5");
  }

  @Test
  void theLatestAreTheNewestByNumberNotByText() {
    assertThat(new VersionPolicy.Latest(1).choose(FOUND)).containsExactly("10");
    assertThat(new VersionPolicy.Latest(3).choose(FOUND)).containsExactly("10", "10-rc.1", "9.0.1");
    assertThat(new VersionPolicy.Latest(9).choose(FOUND)).hasSize(5);
    assertThat(new VersionPolicy.Latest(1).choose(List.of())).isEmpty();
    assertThatThrownBy(() -> new VersionPolicy.Latest(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("received 0");
  }

  @Test
  void specificOnesAreThoseThatAreThere() {
    assertThat(new VersionPolicy.Specific(Set.of("2", "9.0.1", "11")).choose(FOUND))
        .containsExactly("9.0.1", "2");
    assertThat(new VersionPolicy.Specific(Set.of()).choose(FOUND)).isEmpty();
  }

  @Test
  void numberedOnesAreThoseThatBeginSo() {
    assertThat(new VersionPolicy.Numbered(Set.of(10L, 1L, 7L)).choose(FOUND))
        .containsExactly("10", "10-rc.1", "1.5");
    assertThat(VersionPolicy.number("0.1")).isZero();
    assertThat(VersionPolicy.number("v2")).isZero();
    assertThat(VersionPolicy.number("99999999999999999999")).isZero();
  }

  @Test
  void equalVersionsKeepTheirOrder() {
    assertThat(new VersionPolicy.All().choose(List.of("1.0+b", "1", "1.0+a")))
        .containsExactly("1.0+b", "1", "1.0+a");
  }
}
