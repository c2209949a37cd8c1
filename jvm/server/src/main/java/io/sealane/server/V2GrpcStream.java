package io.sealane.server;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.sealane.protocols.inference.InferParameter;
import io.sealane.protocols.inference.ModelInferRequest;
import io.sealane.protocols.inference.ModelInferResponse;
import io.sealane.protocols.inference.ModelStreamInferResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Triton's stream of requests: each is answered as it is done, in any order. An error is told in
 * the stream, which goes on; or ends it with a status, where the client asked for that.
 */
final class V2GrpcStream implements StreamObserver<ModelInferRequest> {
  /** Tells clients of models with several answers that this was a request's last. */
  private static final String FINAL = "triton_final_response";

  private static final InferParameter YES = InferParameter.newBuilder().setBoolParam(true).build();

  private final Function<ModelInferRequest, CompletableFuture<ModelInferResponse>> infer;
  private final StreamObserver<ModelStreamInferResponse> observer;
  private final boolean asStatus;
  private final Executor loop;
  private final Drain drain;
  private final Map<Long, CompletableFuture<ModelInferResponse>> running = new HashMap<>();
  private long sequence;
  private boolean complete;
  private boolean stopping;
  private boolean ended;

  V2GrpcStream(
      Function<ModelInferRequest, CompletableFuture<ModelInferResponse>> infer,
      StreamObserver<ModelStreamInferResponse> observer,
      boolean asStatus,
      Executor loop,
      Drain drain) {
    this.infer = infer;
    this.observer = observer;
    this.asStatus = asStatus;
    this.loop = loop;
    this.drain = drain;
  }

  @Override
  public void onNext(ModelInferRequest request) {
    boolean accepted = drain.begin();
    CompletableFuture<ModelInferResponse> answer =
        accepted ? infer.apply(request) : CompletableFuture.failedFuture(Drain.stopping());
    long number = sequence++;
    running.put(number, answer);
    CompletableFuture<?> unused =
        answer.whenComplete(
            (response, error) ->
                loop.execute(
                    () -> {
                      try {
                        answered(request, number, response, error);
                      } finally {
                        if (accepted) {
                          drain.end();
                        }
                      }
                    }));
  }

  private void answered(
      ModelInferRequest request,
      long number,
      @Nullable ModelInferResponse response,
      @Nullable Throwable error) {
    running.remove(number);
    if (ended) {
      return;
    }
    if (response != null) {
      ModelInferResponse last = response.toBuilder().putParameters(FINAL, YES).build();
      observer.onNext(ModelStreamInferResponse.newBuilder().setInferResponse(last).build());
    } else if (error != null) {
      StatusRuntimeException status = Problems.grpc(Problems.cause(error)).asRuntimeException();
      if (asStatus) {
        ended = true;
        observer.onError(status);
        return;
      }
      observer.onNext(
          ModelStreamInferResponse.newBuilder()
              .setErrorMessage(String.valueOf(status.getStatus().getDescription()))
              .setInferResponse(ModelInferResponse.newBuilder().setId(request.getId()))
              .build());
    }
    endWhenDone();
  }

  @Override
  public void onError(Throwable gone) {
    cancel();
  }

  /** Ends what the client waits for no more, also when it has asked its last. */
  void cancel() {
    ended = true;
    List.copyOf(running.values()).forEach(each -> each.cancel(false));
  }

  @Override
  public void onCompleted() {
    complete = true;
    endWhenDone();
  }

  /** Answers what is running, and tells the client then to go elsewhere. For any thread. */
  void stop() {
    loop.execute(
        () -> {
          stopping = true;
          endWhenDone();
        });
  }

  private void endWhenDone() {
    if (ended || !running.isEmpty() || !(complete || stopping)) {
      return;
    }
    ended = true;
    if (complete) {
      observer.onCompleted();
    } else {
      observer.onError(Problems.grpc(Drain.stopping()).asRuntimeException());
    }
  }
}
