package io.sealane.serving;

import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Where every protocol lands: a request in, an answer out. Safe for use by any thread, and never
 * waits: answers come on the threads that computed them.
 */
public final class DataPlane {
  private final ModelRepository repository;
  private final RequestObserver observer;

  /** Answers by the models of a repository. */
  public DataPlane(ModelRepository repository) {
    this(repository, request -> Observation.NONE);
  }

  /** Answers by the models of a repository, and tells of each request. */
  public DataPlane(ModelRepository repository, RequestObserver observer) {
    this.repository = repository;
    this.observer = observer;
  }

  /** The models. */
  public ModelRepository repository() {
    return repository;
  }

  /**
   * Answers a request.
   *
   * @param request taken over: its tensors are closed when it is answered
   * @return the answer, which the receiver closes; cancelling it takes the request out of the
   *     queue. It ends exceptionally with a SealaneException, as {@link Batcher#submit} says, or
   *     MODEL_NOT_FOUND
   */
  public CompletableFuture<InferenceResponse> infer(InferenceRequest request) {
    return infer(request, model -> model.version(request.version()));
  }

  /**
   * As the other {@code infer}, where a protocol names versions in a way of its own.
   *
   * @param choice the version that is asked for, in place of the request's; asked again when a
   *     version is replaced at this moment
   */
  public CompletableFuture<InferenceResponse> infer(
      InferenceRequest request, Function<ServedModel, ServedVersion> choice) {
    Observation observation = observer.begun(request);
    while (true) {
      ServedVersion version;
      try {
        version = choice.apply(repository.model(request.model()));
      } catch (SealaneException absent) {
        request.close();
        observation.failed(null, absent);
        return CompletableFuture.failedFuture(absent);
      }
      CompletableFuture<Map<String, Tensor>> computed = version.submit(request, observation);
      if (computed != null) {
        return answer(version, computed, observation);
      }
      // It was replaced between the two lines above: its successor is there already.
      Thread.onSpinWait();
    }
  }

  private static CompletableFuture<InferenceResponse> answer(
      ServedVersion version,
      CompletableFuture<Map<String, Tensor>> computed,
      Observation observation) {
    CompletableFuture<InferenceResponse> answer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        computed.whenComplete(
            (outputs, error) -> {
              if (error != null) {
                try {
                  observation.failed(version, error);
                } finally {
                  answer.completeExceptionally(error);
                }
                return;
              }
              InferenceResponse response =
                  new InferenceResponse(version.model(), version.version(), outputs);
              try {
                observation.answered(version, response);
              } finally {
                if (!answer.complete(response)) {
                  response.close();
                }
              }
            });
    unused =
        answer.whenComplete(
            (response, error) -> {
              if (answer.isCancelled()) {
                computed.cancel(false);
              }
            });
    return answer;
  }
}
