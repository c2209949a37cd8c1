package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.sealane.protocols.inference.ModelInferRequest;
import io.sealane.protocols.inference.ModelInferResponse;
import io.sealane.protocols.inference.ModelStreamInferResponse;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrainTest {
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration LONG = Duration.ofSeconds(20);

  private final Drain drain = new Drain();

  @Test
  void endsWithTheLastOfThoseThatWereAccepted() throws InterruptedException {
    assertThat(drain.begin()).isTrue();
    assertThat(drain.begin()).isTrue();
    drain.end();
    assertThat(drain.close(SOON)).isFalse();
    assertThat(drain.begin()).isFalse();
    drain.end();
    assertThat(drain.close(LONG)).isTrue();
    assertThat(drain.begin()).isFalse();
  }

  @Test
  void endsAtOnceWithoutAny() throws InterruptedException {
    assertThat(drain.close(Duration.ZERO)).isTrue();
  }

  /** Those that are refused come on and on: there need be no moment without one. */
  @Test
  void clientsThatAskOnDoNotPutItOff() throws InterruptedException {
    assertThat(drain.begin()).isTrue();
    AtomicBoolean enough = new AtomicBoolean();
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      clients.add(new Thread(() -> ask(enough)));
    }
    clients.forEach(Thread::start);
    assertThat(drain.close(SOON)).isFalse();
    drain.end();
    assertThat(drain.close(LONG)).isTrue();
    enough.set(true);
    for (Thread each : clients) {
      each.join();
    }
  }

  private void ask(AtomicBoolean enough) {
    while (!enough.get()) {
      if (drain.begin()) {
        drain.end();
      }
    }
  }

  @Test
  void aStreamCountsByItsMessagesAndEndsWithTheLast() throws InterruptedException {
    CompletableFuture<ModelInferResponse> answer = new CompletableFuture<>();
    Answers answers = new Answers(new ArrayList<>(), new ArrayList<>());
    V2GrpcStream stream = opened(answer, answers);
    stream.onNext(ModelInferRequest.getDefaultInstance());
    assertThat(drain.close(SOON)).isFalse();
    stream.onNext(ModelInferRequest.getDefaultInstance());
    assertThat(answers.all()).hasSize(1);
    assertThat(answers.all().get(0).getErrorMessage()).contains("the server is stopping");
    assertThat(answers.errors()).isEmpty();
    answer.complete(ModelInferResponse.getDefaultInstance());
    assertThat(drain.close(LONG)).isTrue();
    assertThat(answers.all()).hasSize(2);
    assertThat(answers.all().get(1).getErrorMessage()).isEmpty();
    assertThat(answers.errors()).containsExactly(Status.Code.UNAVAILABLE);
  }

  @Test
  void aStreamThatComesTooLateIsTold() throws InterruptedException {
    assertThat(drain.close(LONG)).isTrue();
    Answers answers = new Answers(new ArrayList<>(), new ArrayList<>());
    V2GrpcStream unused = opened(new CompletableFuture<>(), answers);
    assertThat(answers.errors()).containsExactly(Status.Code.UNAVAILABLE);
  }

  @Test
  void aServerThatIsInterruptedWhileItEndsLeavesNoPortOpen(@TempDir Path empty) throws Exception {
    String[] flags = {
      "--repository=" + empty,
      "--port=0",
      "--management.port=0",
      "--management.token=x",
      "--drain.notice=60s"
    };
    SealaneServer server =
        SealaneServer.start(ServerConfig.of(Settings.of(List.of(flags), Map.of())));
    int port = server.port();
    Thread.currentThread().interrupt();
    server.close();
    assertThat(Thread.interrupted()).isTrue();
    long until = System.nanoTime() + LONG.toNanos();
    while (accepts(port)) {
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.sleep(50);
    }
  }

  private static boolean accepts(int port) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      return socket.isConnected();
    } catch (ConnectException refused) {
      return false;
    }
  }

  private V2GrpcStream opened(CompletableFuture<ModelInferResponse> answer, Answers answers) {
    V2GrpcStream stream = new V2GrpcStream(request -> answer, answers, false, Runnable::run, drain);
    drain.opened(stream, new CompletableFuture<>());
    return stream;
  }

  private record Answers(List<ModelStreamInferResponse> all, List<Status.Code> errors)
      implements StreamObserver<ModelStreamInferResponse> {
    @Override
    public void onNext(ModelStreamInferResponse answer) {
      all.add(answer);
    }

    @Override
    public void onError(Throwable error) {
      errors.add(Status.fromThrowable(error).getCode());
    }

    @Override
    public void onCompleted() {
      throw new AssertionError("nobody ended it");
    }
  }
}
