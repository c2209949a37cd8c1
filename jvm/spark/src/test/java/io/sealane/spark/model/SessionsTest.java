package io.sealane.spark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionsTest {
  private static final Path GOOD =
      Path.of(System.getProperty("sealane.conformance")).resolve("bundles/good");
  private static final Configuration HADOOP = new Configuration();
  private static final SessionSettings ONE = new SessionSettings("onnx", 1);

  private final Sessions sessions = new Sessions(2);

  private static BundleReference reference(Path bundle, String contentId) {
    String uri = bundle.toUri().toString();
    return new BundleReference(uri, uri, contentId, BundleFiles.manifestDigest(uri, HADOOP), null);
  }

  private static BundleReference reference(String name) {
    return reference(GOOD.resolve(name), name);
  }

  private Sessions.Lease lease(BundleReference bundle) {
    return sessions.lease(bundle, ONE, HADOOP);
  }

  @Test
  void tasksShareOneSession() throws Exception {
    ExecutorService tasks = Executors.newFixedThreadPool(8);
    List<Future<Sessions.Lease>> asked = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      asked.add(tasks.submit(() -> lease(reference("mlp"))));
    }
    List<Sessions.Lease> leases = new ArrayList<>();
    for (Future<Sessions.Lease> each : asked) {
      leases.add(each.get());
    }
    tasks.shutdown();
    assertThat(leases.stream().map(Sessions.Lease::session).distinct()).hasSize(1);
    assertThat(leases.stream().filter(Sessions.Lease::opened)).hasSize(1);
    assertThat(sessions.opened()).isEqualTo(1);
    leases.forEach(Sessions.Lease::close);
  }

  @Test
  void theLongestUnusedIsClosedWhenThereAreTooMany() {
    Session first;
    try (Sessions.Lease lease = lease(reference("mlp"))) {
      first = lease.session();
    }
    try (Sessions.Lease used = lease(reference("strings"))) {
      lease(reference("both")).close();
      assertThat(isOpen(first)).isFalse();
      assertThat(isOpen(used.session())).isTrue();
    }
    assertThat(sessions.opened()).isEqualTo(3);
  }

  @Test
  void thoseInUseAreKeptBeyond() {
    Sessions.Lease a = lease(reference("mlp"));
    Sessions.Lease b = lease(reference("strings"));
    Sessions.Lease c = lease(reference("both"));
    assertThat(Stream.of(a, b, c).map(Sessions.Lease::session)).allMatch(SessionsTest::isOpen);
    Session eldest = a.session();
    a.close();
    a.close();
    assertThat(isOpen(eldest)).isFalse();
    assertThat(Stream.of(b, c).map(Sessions.Lease::session)).allMatch(SessionsTest::isOpen);
    b.close();
    c.close();
  }

  @Test
  void anotherManifestIsAnotherBundle() {
    BundleReference verified = reference("mlp");
    BundleReference found =
        new BundleReference(
            verified.location(), verified.uri(), verified.contentId(), "0".repeat(64), null);
    assertThat(refused(found)).isEqualTo(ErrorCode.CONTENT_ID_MISMATCH);
  }

  @Test
  void oneThatIsGoneIsRefusedAndAskedForAgain(@TempDir Path folder) throws Exception {
    Path bundle = folder.resolve("mlp");
    copy(GOOD.resolve("mlp"), bundle);
    BundleReference verified = reference(bundle, "mlp");
    Path model = bundle.resolve("1/model.onnx");
    byte[] bytes = Files.readAllBytes(model);
    Files.delete(model);
    assertThat(refused(verified)).isEqualTo(ErrorCode.FILES_DIFFER);
    Files.write(model, bytes);
    lease(verified).close();
    assertThat(refused(reference(folder.resolve("none"), "none", verified)))
        .isEqualTo(ErrorCode.BUNDLE_NOT_FOUND);
  }

  private static BundleReference reference(Path bundle, String contentId, BundleReference like) {
    String uri = bundle.toUri().toString();
    return new BundleReference(uri, uri, contentId, like.manifest(), null);
  }

  private ErrorCode refused(BundleReference bundle) {
    return catchThrowableOfType(SealaneException.class, () -> lease(bundle)).code();
  }

  private static boolean isOpen(Session session) {
    try {
      session.bind(java.util.Map.of("batch", 1L)).close();
      return true;
    } catch (SealaneException failed) {
      return failed.code() != ErrorCode.SESSION_CLOSED;
    }
  }

  private static void copy(Path from, Path to) throws Exception {
    try (Stream<Path> found = Files.walk(from)) {
      for (Path each : found.toList()) {
        Files.copy(each, to.resolve(from.relativize(each).toString()));
      }
    }
  }
}
