package io.sealane.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.core.Leaks;
import io.sealane.core.SealaneException;
import io.sealane.serving.VersionStatus.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Changes under load: who asks notices nothing but the new version. */
class RepositorySwapTest extends RepositoryCase {
  private final ExecutorService clients = Executors.newFixedThreadPool(4);
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicIntegerArray answers = new AtomicIntegerArray(4);

  @AfterEach
  void stopClients() {
    stop.set(true);
    clients.shutdown();
  }

  private List<Future<Integer>> start(int count, Callable<Integer> client) {
    List<Future<Integer>> started = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      started.add(clients.submit(client));
    }
    return started;
  }

  /** Asks until stopped; every answer names one version and has its numbers. */
  private int askOn() throws Exception {
    int asked = 0;
    while (!stop.get()) {
      try (InferenceResponse response = Until.answered(ask("m", null))) {
        requireNumbers(response);
        answers.incrementAndGet(Integer.parseInt(response.version()));
        asked++;
      }
    }
    return asked;
  }

  @Test
  void aHundredSwapsUnderLoadLoseNoRequest() throws Exception {
    put("1", "m/1");
    Path second = put("2", "m/2");
    Path hidden = root.resolve("m/.2");
    repository.refresh();
    List<Future<Integer>> asking = start(2, this::askOn);
    for (int swap = 0; swap < 100; swap++) {
      Files.move(swap % 2 == 0 ? second : hidden, swap % 2 == 0 ? hidden : second);
      repository.refresh();
      int expected = swap % 2 == 0 ? 1 : 2;
      requireAnswer("m", null, expected);
      int before = answers.get(expected);
      Until.holds(() -> answers.get(expected) > before);
    }
    stop.set(true);
    int asked = Until.answered(asking.get(0)) + Until.answered(asking.get(1));
    assertThat(asked).isEqualTo(answers.get(1) + answers.get(2));
    assertThat(answers.get(1)).isGreaterThanOrEqualTo(50);
    assertThat(answers.get(2)).isGreaterThanOrEqualTo(50);
  }

  /** As {@link #askOn}, for a model that is taken out now and then. */
  private int askAnyhow() throws Exception {
    int answered = 0;
    while (!stop.get()) {
      try (InferenceResponse response = Until.answered(ask("m", null))) {
        requireNumbers(response);
        answers.incrementAndGet(Integer.parseInt(response.version()));
        answered++;
      } catch (SealaneException out) {
        assertThat(out.code()).isEqualTo(ErrorCode.MODEL_NOT_READY);
      }
    }
    return answered;
  }

  @Test
  void fiftyTimesLoadedAndUnloadedUnderLoadLeakNothing() throws Exception {
    put("1", "m");
    repository.load("m");
    List<Future<Integer>> asking = start(2, this::askAnyhow);
    for (int cycle = 0; cycle < 50; cycle++) {
      repository.unload("m");
      repository.load("m");
      int before = answers.get(1);
      Until.holds(() -> answers.get(1) > before);
    }
    stop.set(true);
    int asked = Until.answered(asking.get(0)) + Until.answered(asking.get(1));
    assertThat(asked).isEqualTo(answers.get(1));
    requireStatus("m", "1", State.READY, "");
    repository.unload("m");
    // What retires is freed in turn, so all is when the last is.
    Until.holds(() -> status("m", "1").state() == State.UNAVAILABLE);
    assertThat(threadsOfModels()).isZero();
  }

  private static long threadsOfModels() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("sealane-small-"))
        .count();
  }

  @Test
  void aSessionIsOpenOnlyWhileItsVersionIsThere() throws Exception {
    long open = Leaks.open();
    put("1", "m/1");
    Path second = put("2", "m/2");
    for (int i = 0; i < 10; i++) {
      repository.refresh();
      Until.holds(() -> Leaks.open() == open + 1);
      Files.move(second, root.resolve("m/.2"));
      repository.refresh();
      Until.holds(() -> Leaks.open() == open + 1);
      Files.move(root.resolve("m/.2"), second);
    }
    repository.unload("m");
    Until.holds(() -> Leaks.open() == open);
  }

  private Held busy() throws InterruptedException {
    return Held.by(() -> ask("m", null).thenAccept(InferenceResponse::close));
  }

  @Test
  void whatWasAcceptedIsAnsweredByTheVersionThatGoes() throws Exception {
    put("1", "m/1");
    repository.refresh();
    List<CompletableFuture<InferenceResponse>> accepted = new ArrayList<>();
    try (Held busy = busy()) {
      for (int i = 0; i < 5; i++) {
        accepted.add(ask("m", null));
      }
      put("2", "m/2");
      repository.refresh();
      requireAnswer("m", null, 2);
      requireStatus("m", "1", State.UNLOADING, "another version took its place");
      assertThat(accepted).noneMatch(CompletableFuture::isDone);
    }
    for (CompletableFuture<InferenceResponse> each : accepted) {
      try (InferenceResponse response = Until.answered(each)) {
        assertThat(response.version()).isEqualTo("1");
        requireNumbers(response);
      }
    }
    Until.holds(() -> status("m", "1").state() == State.UNAVAILABLE);
  }

  @Test
  void unloadAnswersWhatWasAcceptedAndItCanComeBackMeanwhile() throws Exception {
    put("1", "m");
    repository.refresh();
    CompletableFuture<InferenceResponse> accepted;
    try (Held busy = busy()) {
      accepted = ask("m", null);
      repository.unload("m");
      requireStatus("m", "1", State.UNLOADING, "unloaded on request");
      Until.refused(ErrorCode.MODEL_NOT_READY, ask("m", null));
      repository.load("m");
      requireStatus("m", "1", State.READY, "");
      requireAnswer("m", null, 1);
      assertThat(accepted).isNotDone();
    }
    Until.answered(accepted).close();
    repository.close();
    requireStatus("m", "1", State.UNAVAILABLE, "stopping");
  }

  @Test
  void closeWaitsForWhatWasAccepted() throws Exception {
    put("1", "m");
    repository.refresh();
    Thread closer = new Thread(repository::close);
    CompletableFuture<InferenceResponse> accepted;
    try (Held busy = busy()) {
      accepted = ask("m", null);
      closer.start();
      Until.holds(() -> repository.models().isEmpty());
      Until.refused(ErrorCode.MODEL_NOT_READY, ask("m", null));
      closer.interrupt();
      closer.join(50);
      assertThat(closer.isAlive()).isTrue();
    }
    closer.join();
    assertThat(accepted).isDone();
    accepted.get().close();
  }

  @Test
  void manyMayChangeItAtOnce() throws Exception {
    put("1", "m/1");
    put("2", "m/2");
    put("3", "n");
    repository.refresh();
    List<Future<Integer>> asking = start(1, this::askAnyhow);
    List<Future<Integer>> changing =
        start(
            3,
            () -> {
              for (int i = 0; i < 10; i++) {
                repository.load("m");
                repository.refresh();
                assertThat(repository.index()).hasSizeGreaterThanOrEqualTo(3);
                repository.unload("m");
              }
              return 0;
            });
    for (Future<Integer> each : changing) {
      Until.answered(each);
    }
    stop.set(true);
    Until.answered(asking.get(0));
    repository.load("m");
    requireAnswer("m", null, 2);
    requireAnswer("n", null, 3);
  }
}
