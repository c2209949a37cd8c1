package io.sealane.serving;

import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where every protocol lands: a request in, an answer out. Safe for use by any thread, and never
 * waits: answers come on the threads that computed them.
 */
public final class DataPlane {
  private final ModelRepository repository;
  private final Supplier<@Nullable String> routingKey;
  private final RequestObserver observer;

  /** Answers by the models of a repository. */
  public DataPlane(ModelRepository repository) {
    this(repository, () -> null, request -> Observation.NONE);
  }

  /**
   * Answers by the models of a repository, and tells of each request.
   *
   * @param routingKey the key of the call that the thread is in, for requests that have none of
   *     their own; may give null
   * @param observer who is told
   */
  public DataPlane(
      ModelRepository repository, Supplier<@Nullable String> routingKey, RequestObserver observer) {
    this.repository = repository;
    this.routingKey = routingKey;
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
   * @param choice the version that is asked for, in place of the request's; where none is named,
   *     {@code version(null)} of what it is given, which is the one that traffic gives this
   *     request. Asked again when a version is replaced at this moment
   */
  public CompletableFuture<InferenceResponse> infer(
      InferenceRequest request, Function<ServedModel, ServedVersion> choice) {
    Observation observation = observer.begun(request);
    while (true) {
      ServedModel model;
      ServedVersion version;
      try {
        model = repository.model(request.model());
        version = choice.apply(routed(model, request.routingKey()));
      } catch (SealaneException absent) {
        request.close();
        observation.failed(null, absent);
        return CompletableFuture.failedFuture(absent);
      }
      ShadowRuns shadow = version.shadow();
      ShadowRuns.Copy copy = shadow == null ? null : shadow.copy(request, model);
      CompletableFuture<Map<String, Tensor>> computed = version.submit(request, observation);
      if (computed != null) {
        return answer(version, computed, copy, observation);
      }
      if (copy != null) {
        copy.close();
      }
      // It was replaced between the two lines above: its successor is there already.
      Thread.onSpinWait();
    }
  }

  /**
   * A model as a request of the call that the thread is in finds it, for protocols that must know
   * the version before there is a request: {@code version(null)} is the one that traffic gives it.
   *
   * @throws SealaneException MODEL_NOT_FOUND, MODEL_NOT_READY
   */
  public ServedModel routed(String model) {
    return routed(repository.model(model), null);
  }

  private ServedModel routed(ServedModel model, @Nullable String own) {
    if (model.shares().size() == 1) {
      return model;
    }
    return model.routed(own == null || own.isEmpty() ? routingKey.get() : own);
  }

  private static CompletableFuture<InferenceResponse> answer(
      ServedVersion version,
      CompletableFuture<Map<String, Tensor>> computed,
      ShadowRuns.@Nullable Copy copy,
      Observation observation) {
    CompletableFuture<InferenceResponse> answer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        computed.whenComplete(
            (outputs, error) -> {
              if (error != null) {
                try {
                  shadowed(copy, null);
                  observation.failed(version, error);
                } finally {
                  answer.completeExceptionally(error);
                }
                return;
              }
              InferenceResponse response =
                  new InferenceResponse(version.model(), version.version(), outputs);
              try {
                shadowed(copy, outputs);
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

  /** Hands the copy over before the receiver can close the outputs. */
  private static void shadowed(
      ShadowRuns.@Nullable Copy copy, @Nullable Map<String, Tensor> outputs) {
    if (copy != null && outputs != null) {
      copy.answered(outputs);
    } else if (copy != null) {
      copy.close();
    }
  }
}
