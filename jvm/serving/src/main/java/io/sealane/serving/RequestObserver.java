package io.sealane.serving;

import java.util.List;

/** Who is told of each request that comes to a {@link DataPlane}. Called by any thread. */
public interface RequestObserver {
  /**
   * A request is about to wait. Called on the thread that asks, and must return at once.
   *
   * @param request stays the data plane's: an observer that keeps an input shares it
   * @return who is told how it fares
   */
  Observation begun(InferenceRequest request);

  /** Tells all of them, in their order. */
  static RequestObserver all(List<RequestObserver> observers) {
    return switch (observers.size()) {
      case 0 -> request -> Observation.NONE;
      case 1 -> observers.get(0);
      default -> new Observers(observers);
    };
  }
}
