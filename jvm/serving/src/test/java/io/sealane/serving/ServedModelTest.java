package io.sealane.serving;

import static io.sealane.runtime.tck.Coded.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.serving.Discovery.Found;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServedModelTest extends RepositoryCase {
  private final Map<String, ServedVersion> versions = new LinkedHashMap<>();
  private ServedModel model;

  @BeforeEach
  void load() {
    for (String version : new String[] {"3", "1"}) {
      Found found = new Found(bundles.resolve(version), version, "", 1);
      versions.put(version, ServedVersion.load("m", found, config));
    }
    model =
        new ServedModel(
            "m", versions, Map.of("stable", "1", "gone", "2"), Map.of(), Map.of("3", 100.0));
  }

  @AfterEach
  void free() {
    model.versions().values().forEach(ServedVersion::close);
  }

  @Test
  void theNewestIsMeantWhereNoneIsNamed() {
    assertThat(model.version(null).version()).isEqualTo("3");
    assertThat(model.version("").version()).isEqualTo("3");
    assertThat(model.version("1").version()).isEqualTo("1");
    refused(
        ErrorCode.MODEL_NOT_FOUND,
        "model 'm' has no version '2' ready; it has [3, 1]",
        () -> model.version("2"));
    refused(ErrorCode.MODEL_NOT_FOUND, "'stable'", () -> model.version("stable"));
  }

  @Test
  void aLabelNamesAVersionThatIsReady() {
    assertThat(model.labelled("stable").version()).isEqualTo("1");
    refused(ErrorCode.MODEL_NOT_FOUND, "no version '2'", () -> model.labelled("gone"));
    refused(ErrorCode.MODEL_NOT_FOUND, "model 'm' has no label '1'", () -> model.labelled("1"));
  }

  @Test
  void itIsAsItWasWhateverBecomesOfTheMaps() {
    versions.clear();
    assertThat(model.versions().keySet()).containsExactly("3", "1");
    assertThat(model.labels()).hasSize(2);
  }

  @Test
  void theConfigurationKeepsTheOrderOfItsLabels() {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("b", "1");
    labels.put("a", "2");
    ModelConfig labelled = config.withLabels(labels);
    labels.clear();
    assertThat(labelled.labels().keySet()).containsExactly("b", "a");
    assertThat(labelled.withVersions(new VersionPolicy.All()).labels()).hasSize(2);
    assertThat(ModelConfig.defaults().versions()).isEqualTo(new VersionPolicy.Latest(1));
    assertThat(ModelConfig.defaults().batching()).isEqualTo(Batching.off());
  }
}
