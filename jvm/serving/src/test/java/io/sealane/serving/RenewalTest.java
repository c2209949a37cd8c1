package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.serving.Discovery.Found;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a look at folders gives that a whole repository shows only by chance. */
class RenewalTest extends RepositoryCase {
  private final Loads loads = new Loads();
  private final List<VersionStatus> loading = new ArrayList<>();

  private Renewal renewed(Found... folders) {
    Renewal renewal = new Renewal("m", config, null, loads);
    renewal.run(List.of(folders), loading::add);
    return renewal;
  }

  @Test
  void aVersionIsLoadingUntilItIsReady() {
    Renewal renewal = renewed(new Found(bundles.resolve("1"), "1", "", 1));
    assertThat(loading).containsExactly(new VersionStatus("m", "1", State.LOADING, ""));
    assertThat(renewal.statuses().get("1").state()).isEqualTo(State.READY);
    renewal.ready().values().forEach(ServedVersion::close);
  }

  @Test
  void aFolderThatBecameAnotherVersionMeanwhileIsNotServed() {
    Renewal renewal = renewed(new Found(bundles.resolve("3"), "2", "", 1));
    assertThat(renewal.ready()).isEmpty();
    assertThat(renewal.statuses().get("2"))
        .isEqualTo(
            new VersionStatus(
                "m", "2", State.UNAVAILABLE, "its files changed while they were read"));
  }

  @Test
  void whatCouldNotBeReadIsTriedAgainAndWhatIsWrongIsNot() {
    Found gone = new Found(Path.of("none"), "1", "", 1);
    Found liar = new Found(bundles.resolve("liar"), "2", "", 1);
    for (int look = 1; look <= 3; look++) {
      Renewal renewal = renewed(gone, liar);
      assertThat(renewal.statuses().get("1").reason()).contains("BUNDLE_NOT_FOUND");
      assertThat(renewal.statuses().get("2").reason()).contains("PARITY_FAILED");
      assertThat(loading).extracting(VersionStatus::version).containsOnlyOnce("2");
      assertThat(loading).hasSize(1 + look);
    }
    loads.forgive("other", List.of());
    renewed(liar);
    assertThat(loading).hasSize(4);
    loads.forgive("m", List.of());
    renewed(liar);
    assertThat(loading).hasSize(5);
  }
}
