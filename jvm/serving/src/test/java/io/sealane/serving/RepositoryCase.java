package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.Leaks;
import io.sealane.core.Tensor;
import io.sealane.serving.VersionStatus.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A repository of small models, whose version {@code n} multiplies by {@code n + 1}. Whatever a
 * test does, nothing is left open.
 */
@Timeout(60)
abstract class RepositoryCase {
  /** Bundles to be copied: 1, 2, 3, and {@code liar}, a version 2 that its golden case belies. */
  @TempDir static Path bundles;

  @TempDir Path root;

  ModelConfig config = ModelConfig.defaults().withBatching(new Batching(8, NONE, 1000, 1));
  ModelRepository repository;
  DataPlane plane;

  private static final Duration NONE = Duration.ZERO;
  private long openBefore;

  @BeforeAll
  static void writeBundles() {
    for (int version = 1; version <= 3; version++) {
      SmallBundles.scaled(bundles.resolve("" + version), "" + version, version + 1);
    }
    SmallBundles.claiming(bundles.resolve("liar"), "2", 3, 5);
  }

  @BeforeEach
  void open() {
    openBefore = Leaks.open();
    repository = new ModelRepository(root, name -> config);
    plane = new DataPlane(repository);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    repository.close();
    assertThat(Leaks.open()).as("tensors and sessions left open").isEqualTo(openBefore);
  }

  /** Puts a copy of a bundle into the repository, whole at once. */
  Path put(String bundle, String place) throws IOException {
    Path target = root.resolve(place);
    Files.createDirectories(target.getParent());
    Path building = target.resolveSibling("." + target.getFileName());
    copy(bundles.resolve(bundle), building);
    return Files.move(building, target, StandardCopyOption.ATOMIC_MOVE);
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path each : tree.toList()) {
        Files.copy(each, to.resolve(from.relativize(each).toString()));
      }
    }
  }

  static void delete(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  CompletableFuture<InferenceResponse> ask(String model, String version) {
    Map<String, Tensor> inputs = Map.of("x", SmallBundles.row(1, 10));
    return plane.infer(InferenceRequest.of(model, version, inputs));
  }

  /** Asks, and fails unless the version that answers is that one, with its numbers. */
  void requireAnswer(String model, String asked, int answers) throws Exception {
    try (InferenceResponse response = Until.answered(ask(model, asked))) {
      assertThat(response.model()).isEqualTo(model);
      assertThat(response.version()).isEqualTo("" + answers);
      requireNumbers(response);
    }
  }

  /** The version of m that answers this routing key, with its numbers. */
  String answering(String key) throws Exception {
    InferenceRequest request =
        InferenceRequest.of("m", null, Map.of("x", SmallBundles.row(1, 10))).withRoutingKey(key);
    try (InferenceResponse response = Until.answered(plane.infer(request))) {
      requireNumbers(response);
      return response.version();
    }
  }

  static void requireNumbers(InferenceResponse response) {
    int factor = Integer.parseInt(response.version()) + 1;
    assertThat(response.outputs().get("y").floats()).containsExactly(factor, 10 * factor);
  }

  VersionStatus status(String model, String version) {
    List<VersionStatus> found =
        repository.index().stream()
            .filter(each -> each.model().equals(model) && each.version().equals(version))
            .toList();
    assertThat(found).as("%s %s in %s", model, version, repository.index()).hasSize(1);
    return found.get(0);
  }

  void requireStatus(String model, String version, State state, String reason) {
    VersionStatus status = status(model, version);
    assertThat(status.state()).as(status.toString()).isEqualTo(state);
    if (reason.isEmpty()) {
      assertThat(status.reason()).isEmpty();
    } else {
      assertThat(status.reason()).contains(reason);
    }
  }

  /** The versions of a model that are ready. */
  Iterable<String> ready(String model) {
    return repository.model(model).versions().keySet();
  }
}
