package io.sealane.server;

import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.serving.InferenceResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How calls with one answer are answered over gRPC, whatever the protocol. */
final class GrpcAnswers {
  private GrpcAnswers() {}

  /** Answers at once, with a status when it is refused. */
  static <T> void now(StreamObserver<T> observer, Supplier<T> answer) {
    T value;
    try {
      value = answer.get();
    } catch (RuntimeException refused) {
      refuse(observer, CallRecord.current(), refused);
      return;
    }
    observer.onNext(value);
    observer.onCompleted();
  }

  /**
   * Answers what changes the models. That takes its time, so it has a thread that may wait.
   *
   * @param allowed whether models may be changed here
   */
  static <T> void change(StreamObserver<T> observer, boolean allowed, Supplier<T> change) {
    if (!allowed) {
      SealaneException refused =
          new SealaneException(
              ErrorCode.REQUEST_UNSUPPORTED,
              "models are loaded and unloaded by the management port");
      observer.onError(
          Status.PERMISSION_DENIED.withDescription(refused.getMessage()).asRuntimeException());
      return;
    }
    Executor waiting = ServiceRequestContext.current().blockingTaskExecutor();
    waiting.execute(() -> now(observer, change));
  }

  /** Answers when it is computed, and cancels it when the client leaves. */
  static <T> void later(StreamObserver<T> observer, CompletableFuture<T> answer) {
    ((ServerCallStreamObserver<T>) observer).setOnCancelHandler(() -> answer.cancel(false));
    CallRecord record = CallRecord.current();
    CompletableFuture<?> unused =
        answer.whenComplete(
            (value, error) -> {
              if (error != null) {
                refuse(observer, record, Problems.cause(error));
              } else {
                observer.onNext(value);
                observer.onCompleted();
              }
            });
  }

  private static void refuse(
      StreamObserver<?> observer, @Nullable CallRecord record, Throwable error) {
    if (record != null) {
      record.failed(error);
    }
    Problems.tell(error);
    observer.onError(Problems.grpc(error).asRuntimeException());
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
