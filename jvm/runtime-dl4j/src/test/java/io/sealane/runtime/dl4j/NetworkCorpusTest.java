package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.BundleReader;
import io.sealane.bundle.ReadOptions;
import io.sealane.bundle.Variant;
import io.sealane.bundle.VerifiedBundle;
import io.sealane.runtime.tck.Conformance;
import io.sealane.training.TraceReplay;
import org.junit.jupiter.api.Test;

class NetworkCorpusTest {
  @Test
  void aBundlesTraceReplays() {
    ReadOptions options = ReadOptions.defaults().keeping(Variant.DL4J);
    try (VerifiedBundle bundle = BundleReader.read(Conformance.bundle("network"), options)) {
      Artifact.Layers layers = (Artifact.Layers) bundle.artifact("dl4j");
      TraceReplay.Result result =
          TraceReplay.run(
              "bundle",
              new Dl4jTrainingEngine(),
              layers.network(),
              layers.weights(),
              java.util.Objects.requireNonNull(layers.trace()));
      assertThat(result.steps()).isEqualTo(3);
      assertThat(result.loss()).isLessThan(1e-7);
    }
  }
}
