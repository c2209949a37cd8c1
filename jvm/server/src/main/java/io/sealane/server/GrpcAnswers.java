package io.sealane.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sealane.serving.InferenceResponse;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** How calls with one answer are answered over gRPC, whatever the protocol. */
final class GrpcAnswers {
  private GrpcAnswers() {}

  /** Answers at once, with a status when it is refused. */
  static <T> void now(StreamObserver<T> observer, Supplier<T> answer) {
    T value;
    try {
      value = answer.get();
    } catch (RuntimeException refused) {
      observer.onError(Problems.grpc(refused).asRuntimeException());
      return;
    }
    observer.onNext(value);
    observer.onCompleted();
  }

  /** Answers when it is computed, and cancels it when the client leaves. */
  static <T> void later(StreamObserver<T> observer, CompletableFuture<T> answer) {
    ((ServerCallStreamObserver<T>) observer).setOnCancelHandler(() -> answer.cancel(false));
    CompletableFuture<?> unused =
        answer.whenComplete(
            (value, error) -> {
              if (error != null) {
                observer.onError(Problems.grpc(Problems.cause(error)).asRuntimeException());
              } else {
                observer.onNext(value);
                observer.onCompleted();
              }
            });
  }

  /**
   * The message of an answer, which is closed; cancelling it takes the request out of its queue.
   */
  static <T> CompletableFuture<T> written(
      CompletableFuture<InferenceResponse> computed, Function<InferenceResponse, T> write) {
    CompletableFuture<T> answer =
        computed.thenApply(
            response -> {
              try (response) {
                return write.apply(response);
              }
            });
    CompletableFuture<?> unused =
        answer.whenComplete(
            (value, error) -> {
              if (answer.isCancelled()) {
                computed.cancel(false);
              }
            });
    return answer;
  }
}
