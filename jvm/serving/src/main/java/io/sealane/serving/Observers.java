package io.sealane.serving;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Several observers as one. */
final class Observers implements RequestObserver {
  private final List<RequestObserver> observers;

  Observers(List<RequestObserver> observers) {
    this.observers = List.copyOf(observers);
  }

  @Override
  public Observation begun(InferenceRequest request) {
    List<Observation> each =
        observers.stream()
            .map(observer -> observer.begun(request))
            .filter(observation -> observation != Observation.NONE)
            .toList();
    return each.isEmpty() ? Observation.NONE : new All(each);
  }

  private record All(List<Observation> each) implements Observation {
    @Override
    public void ran(Execution execution) {
      each.forEach(one -> one.ran(execution));
    }

    @Override
    public void answered(ServedVersion version, InferenceResponse response) {
      each.forEach(one -> one.answered(version, response));
    }

    @Override
    public void failed(@Nullable ServedVersion version, Throwable error) {
      each.forEach(one -> one.failed(version, error));
    }
  }
}
